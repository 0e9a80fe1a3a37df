/** A small SMTP server: takes mails, or behaves as a test says. */
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and body, lines joined by \n. */
  readonly text: string;
}

export interface SmtpServer {
  readonly port: number;
  readonly mails: TakenMail[];
  readonly greetings: string[];
  close(): Promise<void>;
}

/** `answer`: another answer than usual to a line of the client. */
export async function smtpServer(
  answer: (line: string) => string | undefined = () => undefined,
): Promise<SmtpServer> {
  const mails: TakenMail[] = [];
  const greetings: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write('220 test ESMTP\r\n');
    let [from, to, data]: [string, string[], string[] | undefined] = ['', [], undefined];
    let rest = '';
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString()).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (data !== undefined && line !== '.') {
          data.push(line);
          continue;
        }
        if (data !== undefined) {
          mails.push({ from, to, text: data.join('\n') });
          [from, to, data] = ['', [], undefined];
        }
        if (/^(EHLO|HELO)/.test(line)) greetings.push(line);
        from = /^MAIL FROM:<(.*?)>/.exec(line)?.[1] ?? from;
        const recipient = /^RCPT TO:<(.*?)>/.exec(line)?.[1];
        if (recipient !== undefined) to.push(recipient);
        const reply = answer(line) ?? (line === 'DATA' ? '354 go' : '250 ok');
        if (reply.startsWith('354')) data = [];
        socket.write(`${reply}\r\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    // An open TCP server has such an address.
    port: (server.address() as AddressInfo).port,
    mails,
    greetings,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
