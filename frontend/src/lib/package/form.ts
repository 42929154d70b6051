import { graphql, type ResultOf } from '$lib/api/graphql';
import type { UserError } from '$lib/api/request';
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

/** A file as it stands in the form. */
export interface FileForm {
  name: string;
  /** Bytes; "" when not known. */
  size: string;
  sha1: string;
  sha256: string;
}

export type ActionForm = NonNullable<Package['action']>;

/** A package as it stands in the form. */
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

export const emptyFile = (): FileForm => ({ name: '', size: '', sha1: '', sha256: '' });

/** What update_engine needs when nobody says otherwise. */
const usualAction = (): ActionForm => ({
  sha256: '',
  chromeosVersion: '',
  needsAdmin: false,
  isDelta: false,
  disablePayloadBackoff: true,
  metadataSignatureRsa: '',
  metadataSize: '',
  deadline: '',
});

export const emptyPackage = (): PackageForm => ({
  type: 'OPERATING_SYSTEM',
  arch: 'amd64',
  version: '',
  url: '',
  payload: emptyFile(),
  description: '',
  files: [],
  action: usualAction(),
  blacklistedChannelIds: [],
});

const fileForm = (file: { name: string; size: number; sha1: string; sha256: string }): FileForm => ({
  ...file,
  size: file.size > 0 ? String(file.size) : '',
});

/** The action's digest is left to the server where it is the package's, so that
 * it follows when another file is chosen. */
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
    action: pack.action ? { ...pack.action, sha256: ownDigest(pack.action.sha256, sha256) } : usualAction(),
    blacklistedChannelIds: pack.blacklistings.map(({ channel }) => channel.id),
  };
}

/** What the form says, as input of createPackage and updatePackage, and what
 * cannot be read at all. */
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
    // Without a digest there is nothing to install, and the server says so
    // where it matters; other types have no action.
    action:
      type === 'OPERATING_SYSTEM' && (sha256.trim() || form.action.sha256.trim()) ? { ...form.action } : null,
  };
  return { input, problems };
}
