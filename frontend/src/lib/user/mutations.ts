import { graphql } from '$lib/api/graphql';

export const createUserMutation = graphql(`
  mutation CreateUser($username: String!, $password: String!, $role: Role!) {
    outcome: createUser(input: { username: $username, password: $password, role: $role }) {
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

export const updateUserMutation = graphql(`
  mutation UpdateUser($id: ID!, $role: Role!) {
    outcome: updateUser(input: { id: $id, role: $role }) {
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
