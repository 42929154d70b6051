import type { graphql } from '$lib/api/graphql';

export type Versioning = ReturnType<typeof graphql.scalar<'Versioning'>>;

export const versioningLabel: Record<Versioning, string> = {
  SEMVER: 'Semantic: 4152.1.1, 2.0.0-rc.1',
  NUMERIC: 'One to four numbers: 10.0.19045.3803, 2026.01.05',
};

export const versionHint: Record<Versioning, string> = {
  SEMVER: 'A semantic version such as 4152.1.1.',
  NUMERIC: 'One to four numbers such as 10.0.19045.3803.',
};
