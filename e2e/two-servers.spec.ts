import { test } from './support/test.ts';
import { watchAHalt, watchARollout } from './support/walks.ts';

// The browser on one server, the machines on the other, both on one PostgreSQL.
test.use({ deployment: 'two servers' });

test('a rollout is watched on the other server', watchARollout);

test('a halt is seen on the other server', watchAHalt);
