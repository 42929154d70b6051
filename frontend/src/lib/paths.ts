/** The addresses of the pages. Filters and ranges are part of the address, so any
 * view can be shared as a link. */

type Query = Record<string, string | null | undefined>;

/** Filters and order of a list of machines; see machine/filter.ts. */
export interface MachineList extends Query {
  show?: string | null;
  reason?: string | null;
  version?: string | null;
  oem?: string | null;
  /** Attributes and tags, such as `rack=3 canary`. */
  label?: string | null;
  /** When the machine was last seen. */
  seen?: string | null;
  search?: string | null;
  sort?: string | null;
  /** `tiles` or `table`. */
  layout?: string | null;
}

/** Query parameters of the group page. */
export interface GroupView extends MachineList {
  /** Lists failed attempts instead of machines; see group/failures.ts. */
  failure?: string | null;
  /** Range of the charts. */
  range?: string | null;
  /** `versions` stacks versions instead of states. */
  chart?: string | null;
  /** `flight` charts updates in flight instead of grants. */
  pace?: string | null;
  /** `oem`, `from` or `address` groups failures by platform, previous version or address block instead of by code. */
  by?: string | null;
  /** `pause`, `resume`, `halt`, `advance` or `rollBack` opens that dialog. */
  do?: string | null;
}

/** Query parameters of the machines page. */
export interface MachinesView extends MachineList {
  group?: string | null;
}

/** Filters of the packages on the application page. */
export interface PackagesView extends Query {
  arch?: string | null;
  /** Prefix of the version. */
  version?: string | null;
  /** Cursor of the page of the list. */
  after?: string | null;
}

/** Query parameters of the activity page. */
export interface ActivityView extends Query {
  application?: string | null;
  group?: string | null;
  severity?: string | null;
  kind?: string | null;
  /** Id of a machine's row. */
  machine?: string | null;
  /** Text that is searched. */
  text?: string | null;
  /** How far back; a key of rangeChoice in activity/filter.ts. */
  range?: string | null;
  /** Time of the newest entry, ISO 8601. */
  until?: string | null;
}

/** Query parameters of the audit page. */
export interface AuditView extends Query {
  application?: string | null;
  actor?: string | null;
  verb?: string | null;
  object?: string | null;
  /** Text that is searched. */
  text?: string | null;
  /** How far back; a key of rangeChoice in activity/filter.ts. */
  range?: string | null;
}

/** Query parameters of the page of approvals. */
interface ApprovalsView extends Query {
  /** Cursor of the page of the list. */
  after?: string | null;
}

/** Query parameters of the page of refused requests. */
interface RefusedView extends Query {
  /** Cursor of the page of the list. */
  after?: string | null;
}

/** Query parameters of the page of mirrors. */
export interface MirrorsView extends Query {
  /** `all` lists runs without a change, too. */
  runs?: string | null;
  /** Id of a channel of a mirror, whose runs are listed. */
  channel?: string | null;
  /** Cursor of the page of the list. */
  after?: string | null;
}

/** Query parameters of the page of a notifier. */
export interface NotifierView extends Query {
  /** Which deliveries: a key of deliveryChoice in notifier/delivery.ts. */
  show?: string | null;
  /** Cursor of the page of the list. */
  after?: string | null;
  /** Id of the delivery that is open. */
  delivery?: string | null;
}

/** Query parameters of the connect page, besides the application. */
export interface ConnectView extends Query {
  group?: string | null;
  /** `flatcar` or `program`: which client settings are shown. */
  client?: string | null;
}

export const fleetPath = () => '/';
/** The fleet on a wall screen. */
export const wallPath = () => '/?wall=1';
export const connectPath = (application?: string | null, view: ConnectView = {}) =>
  `/connect${query({ application, ...view })}`;
export const activityPath = (view: ActivityView = {}) => `/activity${query(view)}`;
export const approvalsPath = (view: ApprovalsView = {}) => `/approvals${query(view)}`;
export const approvalPath = (id: string) => `/approvals/${id}`;
export const auditPath = (view: AuditView = {}) => `/audit${query(view)}`;
/** A file with the list of a filter; served by the server itself, not by the router. */
export const exportPath = (
  list: 'activity' | 'audit',
  format: 'csv' | 'jsonl',
  filter: Record<string, unknown>,
) => {
  const given = Object.entries(filter).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => [name, String(one)]),
  );
  return `/export/${list}?${new URLSearchParams([['format', format], ...given]).toString()}`;
};
export const refusedPath = (view: RefusedView = {}) => `/refused${query(view)}`;
export const mirrorsPath = (view: MirrorsView = {}, fragment = '') =>
  `/mirrors${query(view)}${fragment && `#${fragment}`}`;
export const settingsPath = () => '/settings';
/** The stored files of packages: room, clean-up, downloads now. */
export const storagePath = () => '/storage';

/** The imports from other servers; with an id it opens at that one. */
export const importsPath = (id = '') => `/imports${id && `#${id}`}`;

export const notificationsPath = () => '/notifications';
export const notifierPath = (id: string, view: NotifierView = {}) => `/notifications/${id}${query(view)}`;
/** The tokens of the user, with an id those of another one, or with `all` those of every user. */
export const tokensPath = (of?: string) => `/account/tokens${query({ of })}`;
/** The sessions of the user, or with an id those of another one. */
export const sessionsPath = (of?: string) => `/account/sessions${query({ of })}`;
export const passwordPath = () => '/account/password';
/** Served by the server itself, not by the router: link with target="_self". */
export const playgroundPath = () => '/playground';
/** The documentation, a site of its own. */
export const documentationPath = () => '/docs/';
/** Its page about groups by expression. */
export const smartGroupsPath = () => '/docs/smart-groups/';

export const applicationPath = (application: string, fragment = '') =>
  `/apps/${application}${fragment && `#${fragment}`}`;
export const packagesPath = (application: string, view: PackagesView = {}) =>
  `/apps/${application}${query(view)}#packages`;
export const groupPath = (application: string, group: string, view: GroupView = {}, fragment = '') =>
  `/apps/${application}/groups/${group}${query(view)}${fragment && `#${fragment}`}`;
/** A rollout of a group as it was at a time. */
export const incidentPath = (application: string, group: string, rollout: string, at: Date) =>
  `/apps/${application}/groups/${group}/incident${query({ rollout, at: at.toISOString() })}`;
export const policyPath = (application: string, group: string) =>
  `/apps/${application}/groups/${group}/policy`;
export const channelPath = (application: string, channel: string) =>
  `/apps/${application}/channels/${channel}`;
export const newPackagePath = (application: string) => `/apps/${application}/packages/new`;
export const packagePath = (application: string, id: string) => `/apps/${application}/packages/${id}`;
export const editPackagePath = (application: string, id: string) =>
  `${packagePath(application, id)}${query({ edit: '1' })}`;
/** Null lists the machines of all applications. */
export const machinesPath = (application: string | null, view: MachinesView = {}) =>
  `${application ? `/apps/${application}` : ''}/machines${query(view)}`;
/** All jobs on machines; `after` is the cursor of a page. */
export const jobsPath = (after?: string | null) => `/machines/jobs${query({ after })}`;
/** `result` lists only machines with that result; see job/job.ts. */
export const jobPath = (id: string, result?: string | null) => `/machines/jobs/${id}${query({ result })}`;
export const machinePath = (application: string, instance: string) =>
  `/apps/${application}/machines/${instance}`;

interface Step {
  label: string;
  href: string;
}

/** The breadcrumb of a page: the fleet, the application and the pages between. */
export const breadcrumb = (application?: { id: string; name: string } | null, ...below: Step[]): Step[] => [
  { label: 'Fleet', href: fleetPath() },
  ...(application ? [{ label: application.name, href: applicationPath(application.id) }] : []),
  ...below,
];

function query(view: Query): string {
  const pairs = Object.entries(view).filter((pair): pair is [string, string] => !!pair[1]);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}

/** Whether the page at a path is a form, which does not get wider with the window. */
export const isForm = (path: string): boolean =>
  /\/(policy|packages\/[^/]+|settings|connect|password)$/.test(path);
