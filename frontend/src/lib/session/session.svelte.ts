import type { TadaDocumentNode } from 'gql.tada';
import { Connection } from '$lib/api/connection.svelte';
import { graphql, type ResultOf } from '$lib/api/graphql';
import { ApiError, request } from '$lib/api/request';

const userFragment = graphql(`
  fragment SessionUser on User {
    id
    username
    mustChangePassword
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
      signIn(input: { username: $username, password: $password }) {
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
      sessionEnded
    }
  }
`);

const changePasswordMutation = graphql(
  `
    mutation ChangePassword($current: String!, $new: String!) {
      changePassword(input: { currentPassword: $current, newPassword: $new }) {
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

/** Why a form was refused: field of the input, or null for the whole. */
export interface Refusal {
  field: string | null;
  message: string;
}

/** Who uses this browser, and with that the way to the API. */
class Session {
  #user = $state.raw<User | null | undefined>();
  #connection = $state.raw<Connection | null>(null);

  /** Undefined until the server was asked, null for a stranger. */
  get user(): User | null | undefined {
    return this.#user;
  }

  /** The tab's websocket; only for signed-in users. */
  get connection(): Connection {
    if (!this.#connection) throw new Error('not signed in');
    return this.#connection;
  }

  /** Asks the server whose session this is. */
  async resume() {
    const { me } = await request(meQuery, {});
    this.#begin(me);
  }

  /** Asks the API; when it says that the session ended, so does this one. */
  async ask<Data, Variables>(
    document: TadaDocumentNode<Data, Variables>,
    variables: Variables,
    signal?: AbortSignal,
  ): Promise<Data> {
    try {
      return await request(document, variables, signal);
    } catch (error) {
      if (error instanceof ApiError && error.code === 'UNAUTHENTICATED') this.#end();
      throw error;
    }
  }

  async signIn(username: string, password: string): Promise<Refusal[]> {
    const { signIn } = await request(signInMutation, { username, password });
    if (signIn.user) this.#begin(signIn.user);
    return signIn.userErrors;
  }

  async changePassword(current: string, replacement: string): Promise<Refusal[]> {
    const { changePassword } = await this.ask(changePasswordMutation, { current, new: replacement });
    if (changePassword.user) this.#user = changePassword.user;
    return changePassword.userErrors;
  }

  async signOut() {
    await this.ask(signOutMutation, {});
    this.#end();
  }

  #begin(user: User | null) {
    this.#connection?.close();
    this.#connection = user ? new Connection({ url: websocketUrl(), onsignedout: () => this.#end() }) : null;
    this.#user = user;
  }

  #end() {
    this.#user = null;
    this.#connection?.close();
    this.#connection = null;
  }
}

function websocketUrl(): string {
  const { protocol, host } = window.location;
  return `${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}/graphql`;
}

export const session = new Session();
