import { graphql } from '$lib/api/graphql';

export const packageEditorFragment = graphql(`
  fragment PackageEditor on Application {
    id
    versioning
    channels {
      id
      name
      arch
      color
      package {
        id
      }
    }
  }
`);

export const createMutation = graphql(`
  mutation CreatePackage($input: CreatePackageInput!) {
    outcome: createPackage(input: $input) {
      package {
        id
      }
      userErrors {
        field
        message
      }
    }
  }
`);

export const updateMutation = graphql(`
  mutation UpdatePackage($input: UpdatePackageInput!) {
    outcome: updatePackage(input: $input) {
      package {
        id
      }
      userErrors {
        field
        message
      }
    }
  }
`);

/** Input fields with a place for an error in the form. */
export const shown =
  /^(type|arch|version|url|filename|file|size|sha1|sha256|description|reason|action\.|files\[\d+\]\.)/;
