import { graphql, type ResultOf } from '$lib/api/graphql';
import { session } from '$lib/api/session.svelte';
import { isOnOldServer } from './import';

const document = graphql(`
  query OldPackages($applicationId: ID!, $after: String) {
    application(id: $applicationId) {
      id
      name
      packages(first: 500, after: $after) {
        nodes {
          id
          version
          arch
          url
          channels {
            name
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

type Application = NonNullable<ResultOf<typeof document>['application']>;

export interface OldPackage {
  application: Pick<Application, 'id' | 'name'>;
  pack: Application['packages']['nodes'][number];
}

/** Reads the packages of applications whose files are on the old server, those of channels first. */
export async function oldPackages(
  applicationIds: readonly string[],
  signal: AbortSignal,
): Promise<OldPackage[]> {
  const found: OldPackage[] = [];
  for (const applicationId of applicationIds) {
    let after: string | null = null;
    do {
      const answer: ResultOf<typeof document> = await session.ask(document, { applicationId, after }, signal);
      const { application } = answer;
      if (!application) break; // deleted meanwhile
      const { nodes, pageInfo } = application.packages;
      found.push(...nodes.filter(({ url }) => isOnOldServer(url)).map((pack) => ({ application, pack })));
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after);
  }
  return found.sort((a, b) => Number(b.pack.channels.length > 0) - Number(a.pack.channels.length > 0));
}
