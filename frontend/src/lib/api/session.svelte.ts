import type { TadaDocumentNode } from 'gql.tada';
import { may, type Place } from '$lib/ui/may.svelte';
import { Connection, type ConnectionState } from './connection.svelte';
import { graphql, type ResultOf } from './graphql';
import needs from './needs.json';
import { change, isMutation } from './reach';
import { ApiError, request, type UserError } from './request';

const userFragment = graphql(`
  fragment SessionUser on User {
    id
    username
    mustChangePassword
    singleSignOn
    role
    permissions
    team {
      id
    }
    grants {
      role
      teamId
      applicationId
      groupId
      team {
        name
      }
      application {
        name
      }
      group {
        name
      }
    }
  }
`);

const meQuery = graphql(
  `
    query Me {
      me {
        ...SessionUser
      }
    }
  `,
  [userFragment],
);

const signInMutation = graphql(
  `
    mutation SignIn($username: String!, $password: String!) {
      outcome: signIn(input: { username: $username, password: $password }) {
        user {
          ...SessionUser
        }
        userErrors {
          field
          message
        }
      }
    }
  `,
  [userFragment],
);

const signOutMutation = graphql(`
  mutation SignOut {
    signOut {
      providerUrl
    }
  }
`);

const changePasswordMutation = graphql(
  `
    mutation ChangePassword($current: String!, $new: String!, $endTokens: Boolean!) {
      outcome: changePassword(
        input: { currentPassword: $current, newPassword: $new, endTokens: $endTokens }
      ) {
        user {
          ...SessionUser
        }
        userErrors {
          field
          message
        }
      }
    }
  `,
  [userFragment],
);

type User = ResultOf<typeof userFragment>;

interface Answer {
  outcome: { userErrors: readonly UserError[] };
}

/** The signed-in user and the connection to the API. */
class Session {
  #user = $state.raw<User | null | undefined>();
  #connection = $state.raw<Connection | null>(null);
  #link = $state.raw<'open' | 'ended' | null>(null);
  #providerUrl = $state.raw<string | null>(null);

  /** Undefined before `resume` has finished; null without a session. */
  get user(): User | null | undefined {
    return this.#user;
  }

  /** Whether the tab shows a wall link, without a user; `ended` once it is not valid. */
  get link(): 'open' | 'ended' | null {
    return this.#link;
  }

  /** What the user may do on the whole installation; null while it is not known. */
  get everywhere(): Place | null {
    if (!this.#user) return null;
    const role = this.#user.grants.find(({ teamId }) => teamId === null)?.role;
    return { name: 'the whole installation', permissions: may.of(role) };
  }

  /** What the user may do on all that the user sees; null while it is not known. */
  get onAll(): Place | null {
    if (!this.#user || this.seesAll) return this.everywhere;
    const own = this.#user.team?.id;
    const role = this.#user.grants.find(
      (grant) => grant.teamId === own && grant.applicationId === null,
    )?.role;
    return { name: 'the whole team', permissions: may.of(role) };
  }

  /** Whether the user sees every team. */
  get seesAll(): boolean {
    return this.#user?.grants.some(({ teamId }) => teamId === null) ?? false;
  }

  /** Whether the user manages the users of a team. */
  get managesUsers(): boolean {
    const manage = (role: string) => may.of(role).includes('users');
    return (
      this.#user?.grants.some(({ role, applicationId }) => applicationId === null && manage(role)) ?? false
    );
  }

  /** The tab's websocket. Throws without a session. */
  get connection(): Connection {
    if (!this.#connection) throw new Error('not signed in');
    return this.#connection;
  }

  /** The state of the websocket; null without a session. */
  get connectionState(): ConnectionState | null {
    return this.#connection?.state ?? null;
  }

  /** Page that ends the session at the identity provider, after a sign-out; null if there is none. */
  get providerUrl(): string | null {
    return this.#providerUrl;
  }

  /** Loads the user of the existing session. */
  async resume() {
    const { me } = await request(meQuery, {});
    this.#begin(me);
  }

  /** Opens a wall link with its secret. The session of this browser is not used. */
  follow(token: string) {
    const onsignedout = () => {
      this.#link = 'ended';
      this.#end();
    };
    this.#connection = new Connection({ url: websocketUrl(), token, onsignedout });
    this.#link = 'open';
    this.#setUser(null);
  }

  /** Sends a request. Ends the session if the server answers UNAUTHENTICATED. The signal ends
   * only queries. */
  async ask<Data, Variables>(
    document: TadaDocumentNode<Data, Variables>,
    variables: Variables,
    signal?: AbortSignal,
  ): Promise<Data> {
    try {
      return isMutation(document)
        ? await change(document, variables, this.connectionState === 'lost')
        : await request(document, variables, signal);
    } catch (error) {
      if (error instanceof ApiError && error.code === 'UNAUTHENTICATED') this.#end();
      throw error;
    }
  }

  async signIn(username: string, password: string): Promise<Answer> {
    const answer = await request(signInMutation, { username, password });
    if (answer.outcome.user) this.#begin(answer.outcome.user);
    return answer;
  }

  async changePassword(current: string, replacement: string, endTokens: boolean): Promise<Answer> {
    const answer = await this.ask(changePasswordMutation, { current, new: replacement, endTokens });
    if (answer.outcome.user) this.#setUser(answer.outcome.user);
    return answer;
  }

  async signOut() {
    const { signOut } = await this.ask(signOutMutation, {});
    this.#providerUrl = signOut.providerUrl;
    this.#end();
  }

  #begin(user: User | null) {
    this.#connection?.close();
    if (user) this.#providerUrl = null;
    this.#connection = user ? new Connection({ url: websocketUrl(), onsignedout: () => this.#end() }) : null;
    this.#setUser(user);
  }

  #setUser(user: User | null) {
    if (user) may.set(user.role, user.permissions, needs);
    else may.clear();
    this.#user = user;
  }

  #end() {
    this.#setUser(null);
    this.#connection?.close();
    this.#connection = null;
  }
}

function websocketUrl(): string {
  const { protocol, host } = window.location;
  return `${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}/graphql`;
}

export const session = new Session();
