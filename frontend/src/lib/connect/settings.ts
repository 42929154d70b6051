/** The settings of a client of this server. */

import { duration, isoSeconds } from '$lib/ui/format';

export type Client = 'flatcar' | 'program';

export interface Place {
  updateUrl: string;
  applicationId: string;
  track: string;
  arch: string;
}

export const asClient = (text: string | null | undefined): Client | null =>
  text === 'flatcar' || text === 'program' ? text : null;

/** Id of the preinstalled application. */
const flatcarApplication = 'e96281a6-d1af-4bde-9a0a-97b76e56dc57';

export const usualClient = (applicationId: string): Client =>
  applicationId === flatcarApplication ? 'flatcar' : 'program';

/** /etc/flatcar/update.conf. */
export const updateConf = ({ updateUrl, track }: Place) => `SERVER=${updateUrl}\nGROUP=${track}\n`;

export const flatcarCommands =
  'sudo systemctl restart update-engine\nupdate_engine_client -check_for_update\n';

/** Trusts a certificate authority in ca.pem. */
export const authorityCommands =
  'sudo cp ca.pem /etc/ssl/certs/update-server.pem\nsudo update-ca-certificates\nsudo systemctl restart update-engine\n';

const confPath = '/etc/flatcar/update.conf';

/** The Butane config of a new machine. */
export const butane = (place: Place) => `variant: flatcar
version: 1.0.0
storage:
  files:
    - path: ${confPath}
      overwrite: true
      mode: 0644
      contents:
        inline: |
${updateConf(place).replaceAll(/^(?=.)/gm, '          ')}`;

/** The Ignition config that Butane makes of it. */
export const ignition = (place: Place) =>
  `${JSON.stringify(
    {
      ignition: { version: '3.3.0' },
      storage: {
        files: [
          {
            overwrite: true,
            path: confPath,
            contents: { compression: '', source: `data:,${encodeURIComponent(updateConf(place))}` },
            mode: 0o644,
          },
        ],
      },
    },
    null,
    2,
  )}\n`;

/** A shell command that sends one update check, with the host name as machine id. */
export function checkCommand({ updateUrl, applicationId, track, arch }: Place): string {
  return `curl -s ${quote(updateUrl)} --data-binary @- <<EOF
<request protocol="3.0" installsource="scheduler">
  <os platform="Linux" arch="${arch}"/>
  <app appid="${applicationId}" version="1.0.0" track="${attribute(track)}" machineid="$(hostname)">
    <updatecheck/>
  </app>
</request>
EOF
`;
}

/** Quotes a text for the shell. */
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Escapes an XML attribute inside a here-document that expands $ and \`. */
const attribute = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replace(/[\\$`]/g, '\\$&');

/** The reports of a program, in order. */
export const reports: readonly { event: string; step: string }[] = [
  { event: '<event eventtype="13" eventresult="1"/>', step: 'download started' },
  { event: '<event eventtype="14" eventresult="1"/>', step: 'download finished' },
  { event: '<event eventtype="3" eventresult="1"/>', step: 'installed and running' },
  {
    event: '<event eventtype="3" eventresult="0" errorcode="1"/>',
    step: 'failed, with an error code of your choice',
  },
];

interface Pace {
  maxUpdatesPerPeriod: number;
  periodInterval: string;
}

/** How fast a policy lets machines update, and what that means for many. */
export function paceSentence({ maxUpdatesPerPeriod: n, periodInterval }: Pace): string {
  const period = isoSeconds(periodInterval);
  const machines = 1000;
  const all = duration((Math.ceil(machines / n) - 1) * period);
  return `At most ${n} update${n === 1 ? '' : 's'} per ${duration(period)}: a thousand machines take at least ${all}.`;
}
