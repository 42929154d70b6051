/** What a client must be told to ask this server. */

export type Client = 'flatcar' | 'program';

export interface Place {
  updateUrl: string;
  applicationId: string;
  track: string;
  arch: string;
}

export const asClient = (text: string | null | undefined): Client | null =>
  text === 'flatcar' || text === 'program' ? text : null;

/** The application every database begins with. */
const flatcarApplication = 'e96281a6-d1af-4bde-9a0a-97b76e56dc57';

export const usualClient = (applicationId: string): Client =>
  applicationId === flatcarApplication ? 'flatcar' : 'program';

/** /etc/flatcar/update.conf. */
export const updateConf = ({ updateUrl, track }: Place) => `SERVER=${updateUrl}\nGROUP=${track}\n`;

export const flatcarCommands =
  'sudo systemctl restart update-engine\nupdate_engine_client -check_for_update\n';

/** A shell command that asks once, as the machine it runs on. */
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

/** A shell word. */
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** A value inside quotes, in XML, in a here-document that expands $ and \`. */
const attribute = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replace(/[\\$`]/g, '\\$&');

/** What a program reports on its way, in this order. */
export const reports: readonly { event: string; says: string }[] = [
  { event: '<event eventtype="13" eventresult="1"/>', says: 'the download began' },
  { event: '<event eventtype="14" eventresult="1"/>', says: 'it is downloaded' },
  { event: '<event eventtype="3" eventresult="1"/>', says: 'it is installed and running' },
  {
    event: '<event eventtype="3" eventresult="0" errorcode="1"/>',
    says: 'it failed, with a code of your own',
  },
];
