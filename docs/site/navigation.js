// The pages in their order. A page that is not listed fails the build, so that each can be found.

export const sections = [
  { title: 'Start', pages: ['index', 'tutorial', 'connect', 'glossary'] },
  {
    title: 'How to',
    pages: [
      'ci',
      'mirror',
      'payloads',
      'smart-groups',
      'reboots',
      'notifications',
      'moving',
      'sign-in',
      'updater',
      'mcp',
      'dashboard',
    ],
  },
  {
    title: 'Reference',
    pages: ['cli', 'commands', 'configuration', 'api', 'graphql', 'rest', 'errors', 'states'],
  },
  {
    title: 'Operate',
    pages: [
      'install',
      'operations',
      'metrics',
      'monitoring',
      'retention',
      'reliability',
      'security',
      'performance',
      'scaling',
      'promises',
    ],
  },
  { title: 'Inside', pages: ['ARCHITECTURE', 'dependencies', 'licenses', 'adr/README'] },
];
