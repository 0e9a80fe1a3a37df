/**
 * Host names for sinks, one question at a time: getaddrinfo(3) holds one of the few threads that
 * the whole process has for files and names, as long as a name server is silent.
 */
import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';

type Answer = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** As dns.lookup. */
export type AskNames = (name: string, options: LookupOptions, answer: Answer) => void;

interface Question {
  readonly name: string;
  readonly options: LookupOptions;
  readonly answers: Answer[];
}

export class NameLookup {
  readonly #ask: AskNames;
  readonly #waiting: Question[] = [];
  #isAsking = false;

  constructor(ask: AskNames = lookup) {
    this.#ask = ask;
  }

  /**
   * In the form that node:net asks for. Who asks for what is asked already waits for its answer.
   */
  readonly lookup: AskNames = (name, options, answer) => {
    const form = JSON.stringify([name, options]);
    const same = this.#waiting.find((one) => JSON.stringify([one.name, one.options]) === form);
    if (same !== undefined) same.answers.push(answer);
    else this.#waiting.push({ name, options, answers: [answer] });
    this.#next();
  };

  #next(): void {
    const [question] = this.#waiting;
    if (question === undefined || this.#isAsking) return;
    this.#isAsking = true;
    this.#ask(question.name, question.options, (error, address, family) => {
      this.#isAsking = false;
      this.#waiting.shift();
      for (const answer of question.answers) answer(error, address, family);
      this.#next();
    });
  }
}
