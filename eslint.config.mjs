import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Time and chance enter through the ports of src/base; only these files may touch the real ones. */
const systemSources = ['src/base/systemClock.ts', 'src/base/systemRandom.ts'];

const bannedSources = [
  ...['setTimeout', 'setInterval', 'setImmediate'].map((name) => ({
    selector: `CallExpression[callee.name='${name}']`,
    message: `${name} belongs to the Timers port (src/base/time.ts).`,
  })),
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'Date.now belongs to the Clock port (src/base/time.ts).',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'new Date() belongs to the Clock port (src/base/time.ts).',
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Math.random belongs to the RandomSource port (src/base/time.ts).',
  },
  {
    selector: "MemberExpression[object.name='process'][property.name='hrtime']",
    message: 'process.hrtime belongs to the Clock port (src/base/time.ts).',
  },
];
/** Two readings of a clock need not stand in order. An instant that is made, `microseconds(a - b)`, may lie before 0. */
const bannedDifferences = [
  'left.name=/^(now|nowSeconds)$/',
  'left.callee.property.name=/^(now|wallClock)$/',
  'left.object.name=/^(step|event)$/][left.property.name="at"',
].map((left) => ({
  selector: `:not(CallExpression[callee.name='microseconds']) > BinaryExpression[operator='-'][${left}]`,
  message:
    'What passed between two readings of a clock: subtractTime, subtractSeconds (src/base/time.ts).',
}));
const bannedExports = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  { selector: 'ExportAllDeclaration', message: 'No barrel files.' },
];

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'build/',
      'dist-packages/',
      'coverage/',
      'node_modules/',
      'bench-results/',
      '**/*.mjs',
      '**/*.cjs',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      'no-fallthrough': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 15],
      'max-depth': ['error', 4],
      'no-restricted-syntax': ['error', ...bannedSources, ...bannedDifferences, ...bannedExports],
      // Each kind of a union is named and nothing swallows a new one; numbers and strings need their default.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: false, allowDefaultCaseForExhaustiveSwitch: false },
      ],
    },
  },
  {
    files: systemSources,
    rules: { 'no-restricted-syntax': ['error', ...bannedExports] },
  },
  {
    // Typed-array reads on the hot path: the index is in range by construction (docs/decisions).
    files: ['src/conntrack/**/*.ts', 'src/sync/**/*.ts', 'src/base/cursor.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
    },
  },
);
