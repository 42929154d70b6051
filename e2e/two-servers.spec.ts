import { test } from './support/test.ts';
import { followHalt, followRollout } from './support/scenarios.ts';

// The browser uses one server, the machines the other; both use one PostgreSQL.
test.use({ deployment: 'two servers' });

test('a rollout is live on the other server', followRollout);

test('a halt is shown on the other server', followHalt);
