/**
 * As much of active FTP (RFC 959, PORT) as a connection tracking helper looks at.
 *   server [hold]     listens on port 21, answers PORT by connecting there and sending a line; with hold only when
 *                     SITE GO follows
 *   client ADDRESS    connects; each line on stdin asks for one data connection, and prints {"data":true|false};
 *                     the line `go` sends SITE GO
 */
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

function serve(holds: boolean): void {
  createServer((control) => {
    let open = (): void => undefined;
    control.on('error', () => control.destroy());
    control.write('220 ready\r\n');
    createInterface({ input: control }).on('line', (line) => {
      if (line === 'SITE GO') {
        open();
        return;
      }
      const numbers = /^PORT (.*)$/.exec(line)?.[1]?.split(',').map(Number);
      if (numbers === undefined) {
        control.write('230 welcome\r\n');
        return;
      }
      const port = numbers[4]! * 256 + numbers[5]!;
      open = () => {
        const data = connect({ host: numbers.slice(0, 4).join('.'), port });
        data.on('connect', () => data.end('data\r\n', () => control.write('226 sent\r\n')));
        data.on('error', () => control.write('425 no data connection\r\n'));
      };
      if (holds) control.write('200 waiting\r\n');
      else open();
    });
  }).listen(21, () => say({ ready: true }));
}

function request(control: Socket): void {
  const listener = createServer((data) => {
    data.on('data', () => finish(true));
    data.on('error', () => finish(false));
  });
  const timer = setTimeout(() => finish(false), 30_000);
  const finish = (data: boolean): void => {
    clearTimeout(timer);
    listener.close();
    say({ data });
  };
  listener.listen(0, () => {
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const host = control.localAddress?.replace('::ffff:', '').replaceAll('.', ',') ?? '';
    control.write(`PORT ${host},${address.port >> 8},${address.port & 255}\r\n`);
  });
}

const [mode, address = ''] = process.argv.slice(2);
if (mode === 'server') serve(address === 'hold');
else {
  const control = connect({ host: address, port: 21 });
  control.on('error', (error) => say({ error: error.message }));
  // The helper finds the beginning of lines by the end of a first one, as every client sends.
  control.once('data', () => {
    control.write('USER anonymous\r\n');
    control.once('data', () => say({ ready: true }));
  });
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'go') control.write('SITE GO\r\n');
    else request(control);
  });
}
