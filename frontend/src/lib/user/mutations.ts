import { graphql } from '$lib/api/graphql';

export const createUserMutation = graphql(`
  mutation CreateUser($username: String!, $password: String!) {
    outcome: createUser(input: { username: $username, password: $password }) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const setPasswordMutation = graphql(`
  mutation SetPassword($username: String!, $password: String!) {
    outcome: setPassword(input: { username: $username, newPassword: $password }) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const deleteUserMutation = graphql(`
  mutation DeleteUser($id: ID!) {
    outcome: deleteUser(input: { id: $id }) {
      userErrors {
        field
        message
      }
    }
  }
`);
