import { graphql, type ResultOf } from '$lib/api/graphql';
import { Query } from '$lib/api/query.svelte';
import { count, plural } from '$lib/ui/format';

const document = graphql(`
  query Expressions($id: ID!) {
    application(id: $id) {
      groups {
        id
        name
        arch
        expression
        priority
      }
      numbers {
        total
      }
      reassignment {
        startedAt
        endedAt
        seen
        moved
        waiting
        kept
      }
    }
  }
`);

type Application = NonNullable<ResultOf<typeof document>['application']>;

/** Milliseconds between reads while a walk goes on. */
const readEvery = 3_000;

/** The expressions of an application and the walk that applies them. It is read again while the
 * walk goes on, and when `version` changes. Create it during component initialisation. */
export class Expressions {
  readonly #query: Query<ResultOf<typeof document>, { id: string }>;
  /** Start of the last walk at the first read; undefined before. */
  #known: string | null | undefined;
  /** Whether a walk went on or began since this was created, so that its end is news. */
  #walked = $state(false);

  constructor(id: () => string, version: () => unknown) {
    this.#query = new Query(document, () => ({ id: id() }), { version });
    $effect(() => {
      if (!this.#query.data) return;
      const started = this.#query.data.application?.reassignment?.startedAt ?? null;
      if (this.#known === undefined) this.#known = started;
      if (this.walking || started !== this.#known) this.#walked = true;
    });
    $effect(() => {
      if (!this.#query.current || !this.walking) return;
      const timer = setTimeout(() => this.#query.refetch(), readEvery);
      return () => clearTimeout(timer);
    });
  }

  get groups(): Application['groups'] {
    return this.#query.data?.application?.groups ?? [];
  }

  get walking(): boolean {
    const walk = this.#query.data?.application?.reassignment;
    return !!walk && !walk.endedAt;
  }

  /** How far the walk is; "" unless one goes on, or ended while the page was open. */
  get progress(): string {
    const application = this.#query.data?.application;
    const walk = application?.reassignment;
    return application && walk && (this.walking || this.#walked)
      ? progressText(walk, application.numbers.total)
      : '';
  }
}

/** "Applying expressions: 1,204 of 5,000 machines looked at, 312 moved". */
export function progressText(walk: NonNullable<Application['reassignment']>, machines: number): string {
  const rest = [
    `${count(walk.moved)} moved`,
    ...(walk.waiting > 0 ? [`${count(walk.waiting)} wait for the end of their update`] : []),
    ...(walk.kept > 0 ? [`${count(walk.kept)} stay without an approval`] : []),
  ].join(', ');
  return walk.endedAt
    ? `Expressions were applied: ${plural(walk.seen, 'machine')} looked at, ${rest}`
    : // Machines can register after the count.
      `Applying expressions: ${count(walk.seen)} of ${plural(Math.max(machines, walk.seen), 'machine')} looked at, ${rest}`;
}
