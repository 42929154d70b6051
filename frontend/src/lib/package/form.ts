import { graphql, type ResultOf } from '$lib/api/graphql';
import type { UserError } from '$lib/api/request';
import type { Versioning } from '$lib/version/versioning';
import { hexToBase64 } from './digest';
import type { PackageType } from './labels';

export const packageFormFragment = graphql(`
  fragment PackageForm on Package {
    id
    type
    arch
    version
    url
    filename
    size
    sha1
    sha256
    description
    files {
      name
      size
      sha1
      sha256
    }
    action {
      sha256
      chromeosVersion
      needsAdmin
      isDelta
      disablePayloadBackoff
      metadataSignatureRsa
      metadataSize
      deadline
    }
    blacklistings {
      channel {
        id
      }
    }
  }
`);

type Package = ResultOf<typeof packageFormFragment>;

/** The form fields of a file. */
export interface FileForm {
  name: string;
  /** Bytes; "" if unknown. */
  size: string;
  sha1: string;
  sha256: string;
}

export type ActionForm = NonNullable<Package['action']>;

/** The form fields of a package. */
export interface PackageForm {
  type: PackageType;
  arch: string;
  version: string;
  url: string;
  payload: FileForm;
  description: string;
  files: FileForm[];
  action: ActionForm;
  blacklistedChannelIds: string[];
}

/** Where machines fetch the payload of a new package: from a URL, or from this server, to which a file
 * is uploaded. */
export type PayloadFrom = 'url' | 'here';

export const emptyFile = (): FileForm => ({ name: '', size: '', sha1: '', sha256: '' });

/** The default postinstall action for update_engine. */
const defaultAction = (): ActionForm => ({
  sha256: '',
  chromeosVersion: '',
  needsAdmin: false,
  isDelta: false,
  disablePayloadBackoff: true,
  metadataSignatureRsa: '',
  metadataSize: '',
  deadline: '',
});

export const emptyPackage = (versioning: Versioning): PackageForm => ({
  type: versioning === 'SEMVER' ? 'OPERATING_SYSTEM' : 'OTHER',
  arch: 'amd64',
  version: '',
  url: '',
  payload: emptyFile(),
  description: '',
  files: [],
  action: defaultAction(),
  blacklistedChannelIds: [],
});

const fileForm = (file: { name: string; size: number; sha1: string; sha256: string }): FileForm => ({
  ...file,
  size: file.size > 0 ? String(file.size) : '',
});

/** Leaves the action's digest empty if it is the package's. The server then derives
 * it, also after another file is chosen. */
const ownDigest = (action: string, pack: string) => (action === hexToBase64(pack) ? '' : action);

export function packageForm(pack: Package): PackageForm {
  const { type, arch, version, url, description, sha256 } = pack;
  return {
    type,
    arch,
    version,
    url,
    description,
    payload: fileForm({ ...pack, name: pack.filename }),
    files: pack.files.map(fileForm),
    action: pack.action ? { ...pack.action, sha256: ownDigest(pack.action.sha256, sha256) } : defaultAction(),
    blacklistedChannelIds: pack.blacklistings.map(({ channel }) => channel.id),
  };
}

/** The input of createPackage for a package whose payload is uploaded next: the server fills in its size
 * and digests, also that of the action. */
export function readHostedForm(form: PackageForm) {
  const payload = { ...emptyFile(), name: form.payload.name };
  const { input, problems } = readPackageForm({ ...form, url: '', payload });
  const action = form.type === 'OPERATING_SYSTEM' ? { ...form.action } : null;
  return { input: { ...input, action, hosted: true }, problems };
}

/** The form as input of createPackage and updatePackage, and the fields that cannot
 * be parsed. */
export function readPackageForm(form: PackageForm) {
  const problems: UserError[] = [];
  const size = (field: string, text: string) => {
    const plain = text.replaceAll(/[\s,_]/g, '');
    if (/^\d{0,15}$/.test(plain)) return Number(plain);
    problems.push({ field, message: 'must be a whole number of bytes' });
    return 0;
  };
  const { type, version, url, description, blacklistedChannelIds } = form;
  const { name: filename, sha1, sha256 } = form.payload;
  const input = {
    type,
    version,
    url,
    filename,
    sha1,
    sha256,
    description,
    blacklistedChannelIds,
    size: size('size', form.payload.size),
    files: form.files.map((file, i) => ({ ...file, size: size(`files[${i}].size`, file.size) })),
    // Without a digest there is no action, and the server reports a missing one.
    // Other types have no action.
    action:
      type === 'OPERATING_SYSTEM' && (sha256.trim() || form.action.sha256.trim()) ? { ...form.action } : null,
  };
  return { input, problems };
}
