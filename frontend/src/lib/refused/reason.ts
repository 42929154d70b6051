import { graphql } from '$lib/api/graphql';

export type RefusalReason = ReturnType<typeof graphql.scalar<'RefusalReason'>>;

/** Why requests were refused, and what to do on the machine. */
export const refusal: Record<RefusalReason, { label: string; help: string }> = {
  UNREADABLE: { label: 'Not an Omaha request', help: 'Often a browser, a scanner or a proxy.' },
  TOO_LARGE: { label: 'Too large', help: 'The body is larger than 64 KiB.' },
  WRONG_PATH: { label: 'Wrong address', help: 'Correct the path of the update URL on the machine.' },
  SECRET_MISSING: { label: 'No secret', help: 'Add the server’s secret to the update URL on the machine.' },
  NO_APPLICATION: { label: 'No application', help: 'Send the id of the application as appid.' },
  UNKNOWN_APPLICATION: { label: 'Unknown application', help: 'Correct the appid on the machine.' },
  UNKNOWN_TRACK: {
    label: 'Unknown track',
    help: 'Make the group, add the track to one as an alias, or correct it on the machine.',
  },
  INVALID_VERSION: { label: 'Invalid version', help: 'The application cannot compare this version.' },
  INVALID_MACHINE: {
    label: 'Invalid machine id',
    help: 'It is empty, longer than 50 bytes or not printable.',
  },
  MACHINE_SECRET_MISSING: {
    label: 'No machine secret',
    help: 'Add a machine secret of the group to the update URL on the machine.',
  },
  MACHINE_SECRET_UNKNOWN: {
    label: 'Wrong machine secret',
    help: 'Use a secret of this group or application.',
  },
  MACHINE_SECRET_REVOKED: { label: 'Revoked machine secret', help: 'Give the machine the current secret.' },
  MACHINE_SECRET_EXPIRED: { label: 'Expired machine secret', help: 'Give the machine the current secret.' },
  CERTIFICATE_MISSING: {
    label: 'No client certificate',
    help: 'Give the machine one, signed by the authority in --machine-client-ca.',
  },
  CERTIFICATE_EXPIRED: { label: 'Expired client certificate', help: 'Renew the certificate of the machine.' },
  CERTIFICATE_OTHER: {
    label: 'Certificate of another machine',
    help: 'Its name must be the machine id that the machine sends.',
  },
};
