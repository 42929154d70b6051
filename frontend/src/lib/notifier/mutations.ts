import { graphql } from '$lib/api/graphql';
import { deliveryDetailsFragment } from './delivery';

export const createNotifierMutation = graphql(`
  mutation CreateNotifier($input: CreateNotifierInput!) {
    outcome: createNotifier(input: $input) {
      created {
        secret
        notifier {
          id
          name
        }
      }
      userErrors {
        field
        message
      }
    }
  }
`);

export const updateNotifierMutation = graphql(`
  mutation UpdateNotifier($input: UpdateNotifierInput!) {
    outcome: updateNotifier(input: $input) {
      notifier {
        id
        name
      }
      userErrors {
        field
        message
      }
    }
  }
`);

export const deleteNotifierMutation = graphql(`
  mutation DeleteNotifier($input: DeleteNotifierInput!) {
    outcome: deleteNotifier(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const rotateNotifierMutation = graphql(`
  mutation RotateNotifier($input: RotateNotifierInput!) {
    outcome: rotateNotifier(input: $input) {
      created {
        secret
      }
      userErrors {
        field
        message
      }
    }
  }
`);

export const testNotifierMutation = graphql(
  `
    mutation TestNotifier($id: ID!) {
      outcome: testNotifier(input: { id: $id }) {
        delivery {
          ...DeliveryDetails
        }
        userErrors {
          field
          message
        }
      }
    }
  `,
  [deliveryDetailsFragment],
);

export const redeliverMutation = graphql(`
  mutation RedeliverMessages($input: RedeliverMessagesInput!) {
    outcome: redeliverMessages(input: $input) {
      redelivered {
        messages
      }
      userErrors {
        field
        message
      }
    }
  }
`);
