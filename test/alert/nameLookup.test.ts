import { NameLookup, type AskNames } from '../../src/alert/nameLookup.js';

type Answer = Parameters<AskNames>[2];

test('one name at a time; who asks for the same one waits for the same answer', () => {
  const asked: { readonly name: string; readonly answer: Answer }[] = [];
  const names = new NameLookup((name, _options, answer) => asked.push({ name, answer }));
  const heard: unknown[] = [];
  const hear =
    (who: string): Answer =>
    (error, address) => {
      heard.push([who, error === null ? address : error.message]);
    };
  names.lookup('a.example', {}, hear('1'));
  names.lookup('b.example', {}, hear('2'));
  names.lookup('a.example', {}, hear('3'));
  expect(asked.map(({ name }) => name)).toEqual(['a.example']);
  asked[0]?.answer(null, '192.0.2.1', 4);
  expect(heard).toEqual([
    ['1', '192.0.2.1'],
    ['3', '192.0.2.1'],
  ]);
  expect(asked.map(({ name }) => name)).toEqual(['a.example', 'b.example']);
  asked[1]?.answer(new Error('no such name'), '');
  expect(heard.at(-1)).toEqual(['2', 'no such name']);
});
