/**
 * The agreement machine with one line changed: its files are compiled anew with the change in
 * them. `from` must stand in the file exactly once.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { compileFunction } from 'node:vm';
import ts from 'typescript';
import type { Step } from './simulatedNode.js';

export interface Mutation {
  /** What a machine with it does wrong. */
  readonly is: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const source = join(__dirname, '../../../src');
const compiled = new Map<string, string>();

export function mutatedStep({ file, from, to }: Mutation): Step {
  const changed = join(source, 'agreement', file);
  const text = readFileSync(changed, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${file} has not one line: ${from}`);
  const modules = new Map<string, object>();
  const load = (path: string): object => {
    const known = modules.get(path);
    if (known !== undefined) return known;
    const module = { exports: {} };
    modules.set(path, module.exports);
    const code = path === changed ? compile(text.replace(from, to)) : compiledFile(path);
    const requires = (name: string): unknown => {
      const target = resolve(dirname(path), name.replace(/\.js$/, '.ts'));
      return name.startsWith('.') && existsSync(target) ? load(target) : jest.requireActual(name);
    };
    // Code of this repository: what it compiles to is such a function.
    const run = compileFunction(code, ['require', 'module', 'exports']) as Run;
    run(requires, module, module.exports);
    return module.exports;
  };
  const { agreementStep } = load(join(source, 'agreement/machine.ts')) as { agreementStep: Step };
  return agreementStep;
}

type Run = (requires: (name: string) => unknown, module: object, exports: object) => void;

function compiledFile(path: string): string {
  const code = compiled.get(path) ?? compile(readFileSync(path, 'utf8'));
  compiled.set(path, code);
  return code;
}

function compile(text: string): string {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}
