/** What goes on beside keepstate: keepalived's load balancing and conntrackd's helpers. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runMigrate, type RestFiles } from '../../../src/cli/migrateCommand.js';
import { sameWork } from '../../../src/config/incumbentWork.js';
import { load, memoryFiles, portsWith } from '../loading.js';

const keepalived = `! both
global_defs {
    router_id gw
}
# the service
virtual_server 10.0.0.9 80 {
    lb_algo rr
    real_server 10.0.1.1 80 {
        TCP_CHECK {
            connect_timeout 3
        }
    }
}
# the gateway
vrrp_instance A {
    interface eth0
    virtual_router_id 5
    priority 100
    virtual_ipaddress {
        10.0.0.9/24
    }
}
`;

const conntrackd = `Helper {
    Type rpc inet udp {
        QueueNum 2
        Policy rpc {
            ExpectMax 1
            ExpectTimeout 300
        }
    }
}
Sync {
    Mode NOTRACK {
    }
    UDP {
        IPv4_address 10.3.0.1
        IPv4_Destination_Address 10.3.0.2
        Port 3780
        Interface eth2
    }
}
General {
    HashLimit 65536
    LockFile /var/lock/conntrack.lock
    UNIX {
        Path /var/run/conntrackd.ctl
    }
}
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keepstate-rest-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Done {
  readonly status: number;
  readonly text: string;
  readonly errors: string;
}

function migrateWith(rest: RestFiles, texts: readonly [string, string]): Done {
  let [text, errors] = ['', ''];
  const output = {
    out: (part: string) => void (text += part),
    error: (part: string) => void (errors += part),
  };
  const files = memoryFiles({ '/k.conf': texts[0], '/c.conf': texts[1] });
  const status = runMigrate(['/k.conf', '/c.conf'], portsWith({ files }), output, rest);
  return { status, text, errors };
}

const both = (): { restKeepalived: string; restConntrackd: string } => ({
  restKeepalived: join(folder, 'lvs.conf'),
  restConntrackd: join(folder, 'helper.conf'),
});

test('without the two files it is lost, and the exit status says so', () => {
  const { status, errors } = migrateWith({}, [keepalived, conntrackd]);
  expect(status).toBe(1);
  expect(errors).toContain("'virtual_server'");
  expect(errors).toContain('--rest-keepalived');
  expect(errors).toContain('the helper rpc');
});

test('with them nothing is lost: each block stands where it is done', () => {
  const rest = both();
  const { status, text, errors } = migrateWith(rest, [keepalived, conntrackd]);
  expect({ status, errors }).toMatchObject({ status: 0 });
  expect(errors).not.toContain('lost');
  expect(text).toContain(
    `# keepstate: stays with keepalived: ${rest.restKeepalived}\n#   virtual_server`,
  );
  expect(text).toContain(
    `# keepstate: stays with conntrackd: ${rest.restConntrackd}\n#   Helper {`,
  );
  const { settings } = load(text);
  expect(settings?.vrrp.instances.map(({ name }) => name)).toEqual(['A']);
  expect(settings?.sync?.mode).toBe('NOTRACK');
  const lvs = readFileSync(rest.restKeepalived, 'utf8');
  expect(lvs).toContain('# the service\nvirtual_server 10.0.0.9 80 {\n    lb_algo rr');
  expect(lvs).toContain('router_id gw');
  expect(lvs).not.toMatch(/vrrp_instance|the gateway/);
  const helper = readFileSync(rest.restConntrackd, 'utf8');
  expect(helper).toContain('Type rpc inet udp');
  expect(helper).not.toMatch(/Sync|conntrack\.lock|conntrackd\.ctl/);
  expect(helper).toContain('LockFile /var/lock/conntrackd-helper.lock');
  expect(helper).toContain('Path /var/run/conntrackd-helper.ctl');
  expect(statSync(rest.restConntrackd).mode & 0o777).toBe(0o600);
});

test('the two files are those of daemons that may run beside keepstate', () => {
  const rest = both();
  migrateWith(rest, [keepalived, conntrackd]);
  const files = memoryFiles({
    '/etc/keepalived/keepalived.conf': readFileSync(rest.restKeepalived, 'utf8'),
    '/etc/conntrackd/conntrackd.conf': readFileSync(rest.restConntrackd, 'utf8'),
  });
  const ports = { files, hostName: 'fw1' };
  expect(sameWork('keepalived', [], ports)).toBe('no');
  expect(sameWork('conntrackd', ['-d'], ports)).toBe('no');
});

test('where General is missing, or has neither path, they are added', () => {
  const helperOnly = conntrackd.slice(0, conntrackd.indexOf('Sync'));
  const rest = both();
  for (const text of [helperOnly, `${helperOnly}General {\n    Syslog on\n}\n`]) {
    migrateWith(rest, [keepalived, text]);
    const helper = readFileSync(rest.restConntrackd, 'utf8');
    expect(helper.match(/General \{/g)).toHaveLength(1);
    expect(helper.match(/LockFile/g)).toHaveLength(1);
    expect(helper.match(/UNIX \{/g)).toHaveLength(1);
  }
});

test('nothing is written where nothing stays, and where it cannot be written nothing is printed', () => {
  const routes = keepalived.slice(keepalived.indexOf('# the gateway'));
  const rest = both();
  const { errors } = migrateWith({ restKeepalived: rest.restKeepalived }, [routes, conntrackd]);
  expect(errors).toContain('nothing stays with keepalived');
  expect(() => statSync(rest.restKeepalived)).toThrow('ENOENT');
  const gone = { restKeepalived: join(folder, 'no', 'lvs.conf') };
  expect(migrateWith(gone, [keepalived, conntrackd])).toMatchObject({ status: 2, text: '' });
});
