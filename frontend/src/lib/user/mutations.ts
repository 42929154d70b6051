import { graphql } from '$lib/api/graphql';

export const createUserMutation = graphql(`
  mutation CreateUser($input: CreateUserInput!) {
    outcome: createUser(input: $input) {
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
  mutation UpdateUser($input: UpdateUserInput!) {
    outcome: updateUser(input: $input) {
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

export const createTeamMutation = graphql(`
  mutation CreateTeam($input: CreateTeamInput!) {
    outcome: createTeam(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const updateTeamMutation = graphql(`
  mutation UpdateTeam($input: UpdateTeamInput!) {
    outcome: updateTeam(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const deleteTeamMutation = graphql(`
  mutation DeleteTeam($input: DeleteTeamInput!) {
    outcome: deleteTeam(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);
