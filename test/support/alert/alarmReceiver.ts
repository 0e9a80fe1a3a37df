/**
 * Who is told in a laboratory host: a web server and a mail server that write down what they get.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Alarm } from '../../../src/alert/alarm.js';
import type { Host } from '../../lab/host.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';

/** How the web server answers: a status, or one of these. */
export type Manner = '200' | '500' | 'hang' | 'flood' | 'redirect';

export class AlarmReceiver {
  readonly url = 'http://127.0.0.1:8099/hook';
  readonly smtpPort = 8025;
  readonly #host: Host;
  #process: ManagedProcess | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  async start(manner: Manner = '200'): Promise<void> {
    this.behave(manner);
    const program = this.#host.file('receiver.py', receiverPython);
    this.#process = this.#host.start(['python3', program, this.#host.directory]);
    await this.#process.waitForOutput('listening', { timeout: 60_000 });
  }

  behave(manner: Manner): void {
    writeFileSync(`${this.#host.directory}/manner`, manner);
  }

  /** Away: nobody listens. */
  async stop(): Promise<void> {
    await this.#process?.kill();
  }

  /** What was answered with 200, in the order in which it came. */
  get alarms(): readonly Alarm[] {
    return linesOf(`${this.#host.directory}/alarms.taken`).map((line) => JSON.parse(line) as Alarm);
  }

  /** Requests, however they were answered. */
  get requests(): number {
    return linesOf(`${this.#host.directory}/requests`).length;
  }

  /** Header lines and body of each mail. */
  get mails(): readonly string[] {
    return linesOf(`${this.#host.directory}/mails.taken`).map((line) => String(JSON.parse(line)));
  }
}

export function linesOf(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

const receiverPython = `
import http.server, json, os, socketserver, sys, threading, time
folder = sys.argv[1]
def note(name, line):
    with open(os.path.join(folder, name), 'a') as f: f.write(line + '\\n')
class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length'])).decode()
        note('requests', self.path)
        manner = open(os.path.join(folder, 'manner')).read()
        if manner == 'hang': time.sleep(1000)
        if manner == 'redirect':
            self.send_response(302); self.send_header('Location', 'http://127.0.0.1:8099/other')
            self.send_header('Content-Length', '0'); self.end_headers(); return
        if manner == 'flood':
            self.send_response(500); self.end_headers()
            try:
                while True: self.wfile.write(b'x' * 65536)
            except OSError: return
        if manner == '200': note('alarms.taken', body)
        self.send_response(int(manner)); self.send_header('Content-Length', '0'); self.end_headers()
    def log_message(self, *arguments): pass
class Mail(socketserver.StreamRequestHandler):
    def handle(self):
        say = lambda text: self.wfile.write(text.encode() + b'\\r\\n')
        say('220 receiver')
        while True:
            line = self.rfile.readline().decode().strip()
            if line == '' or line == 'QUIT': say('221 bye'); return
            if line != 'DATA': say('250 ok'); continue
            say('354 go'); text = []
            while True:
                line = self.rfile.readline().decode().rstrip('\\r\\n')
                if line == '.': break
                text.append(line)
            note('mails.taken', json.dumps('\\n'.join(text))); say('250 ok')
class Web(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True; allow_reuse_address = True
class Smtp(socketserver.ThreadingTCPServer):
    daemon_threads = True; allow_reuse_address = True
servers = [Web(('127.0.0.1', 8099), Hook), Smtp(('127.0.0.1', 8025), Mail)]
for server in servers[1:]: threading.Thread(target=server.serve_forever, daemon=True).start()
print('listening', flush=True)
servers[0].serve_forever()
`;
