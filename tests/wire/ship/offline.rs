//! `--offline`, in a network that counts what leaves the machine.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatelodge::clock::Clock;
use serde_json::{Value, json};

use crate::connection::{ask, client_credentials, get, token_head};
use crate::namespace::is_inside;
use crate::person::Person;
use crate::program::{Home, Process, Server};

/// A way out that nobody is at the other end of, for both versions of the protocol, and a nameserver there.
/// By itself the system sends nothing over it.
const WAY_OUT: &str = "\
ip link set lo up
ip link add out type veth peer name far
for link in out far; do ip link set $link arp off multicast off addrgenmode none; done
ip link set far up
ip link set out up
ip addr add 203.0.113.2/24 dev out
ip -6 addr add 2001:db8::2/64 dev out nodad
ip route add default dev out
ip -6 route add default dev out
names=$(mktemp)
echo 'nameserver 192.0.2.53' >$names
mount --bind $names /etc/resolv.conf
rm $names";

/// The packets that left so far.
fn sent() -> u64 {
    let table = fs::read_to_string("/proc/net/dev").unwrap();
    let line = table.lines().find_map(|line| line.trim_start().strip_prefix("out:")).unwrap();
    line.split_whitespace().nth(9).unwrap().parse().unwrap()
}

/// Prints what leaves, a line a frame: its letters and digits, with a space for everything else.
const READER: &str = "\
import re, socket
frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
frames.bind(('far', 0))
frames.settimeout(30)
print('ready', flush=True)
while True:
    print(re.sub('[^a-z0-9]', ' ', frames.recv(65535).decode('latin-1')), flush=True)
";

/// An installation whose clients, webhook and applied file are all somewhere else, and who uses it.
struct Site {
    ada: Person,
    home: Home,
    server: Server,
}

/// What is done there: each by itself a reason to fetch something from this host of `example.com`.
struct Step(&'static str, &'static str, fn(&mut Site));

const STEPS: [Step; 5] = [
    Step("a client that names itself by a document", "app", |site| {
        let query = "client_id=https%3A%2F%2Fapp.example.com%2Fclient.json&response_type=code\
                     &redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&code_challenge_method=S256\
                     &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let page = get(&site.server, &format!("/oauth/authorize?{query}"));
        assert!(page.status >= 400, "{}", page.head);
    }),
    Step("a client whose keys are elsewhere", "robot", |site| {
        let refused = site.token_by_assertion("robot");
        let why = refused["error_description"].as_str().unwrap_or_default();
        assert!(why.contains("keys could not be fetched"), "{refused}");
    }),
    Step("an event for the webhook", "hooks", |site| drop(site.home.json("user add bob"))),
    Step("the end of a session", "shop", |site| {
        let sessions = site.home.json("session list");
        let id = sessions["sessions"][0]["id"].as_str().unwrap_or_else(|| panic!("{sessions}"));
        site.home.json(&format!("session revoke {id} --yes"));
    }),
    Step("the doctor", "nightly", |site| {
        let found = site.home.command(&["doctor", "--json"]).output().unwrap();
        assert!(!found.stdout.is_empty());
    }),
];

impl Site {
    /// Where somebody has signed in, has a token, and where a file was applied.
    fn new(options: &[&str]) -> Self {
        let home = Home::new();
        let secret = home.path("webhook.secret");
        fs::write(&secret, "a-secret-that-nobody-guesses\n").unwrap();
        fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
        let config = home.path("config/gatelodge.toml");
        fs::create_dir_all(config.parent().unwrap()).unwrap();
        let text = format!(
            "[events]\nwebhook = 'https://hooks.example.com/'\nwebhook_kinds = ['user.*']\n\
             webhook_secret_file = '{}'\n",
            secret.display()
        );
        fs::write(&config, text).unwrap();
        let house = home.path("house.toml");
        let text = "[clients.nightly]\ngrant_types = ['client_credentials']\n\
                    jwks_uri = 'https://nightly.example.com/jwks'\n\
                    [clients.robot]\ngrant_types = ['client_credentials']\n\
                    token_endpoint_auth_method = 'private_key_jwt'\n\
                    jwks_uri = 'https://robot.example.com/jwks'\n";
        fs::write(&house, text).unwrap();
        let [config, house] = [config, house].map(|path| path.display().to_string());
        let start = ["serve", "--listen", "127.0.0.1:0", "--print-setup", "--config", &config];
        let server = home.start(&[&start, &["--apply", &house][..], options].concat());
        let ada = Person::enrolled(&server);
        let mut site = Self { ada, home, server };
        site.sign_in();
        site
    }

    /// Signs in to an application that hears of the end, and has a token for another one.
    fn sign_in(&mut self) {
        let shop = self.home.json(
            "client add shop --id shop --redirect https://shop.example.com/cb \
             --back-channel-logout https://shop.example.com/out",
        );
        let address = "/oauth/authorize?client_id=shop&response_type=code&scope=openid&state=s\
                       &redirect_uri=https%3A%2F%2Fshop.example.com%2Fcb&code_challenge_method=S256\
                       &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let redirect = self.ada.decide(&self.server, address, "allow");
        let (_, code) = redirect.split_once("code=").unwrap();
        let code = code.split('&').next().unwrap();
        let secret = shop["client_secret"].as_str().unwrap();
        let form = format!(
            "grant_type=authorization_code&client_id=shop&client_secret={secret}&code={code}\
             &redirect_uri=https%3A%2F%2Fshop.example.com%2Fcb\
             &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        );
        let tokens = ask(&self.server, &token_head(&self.server), &form).json();
        assert!(tokens["id_token"].is_string(), "{tokens}");
        let service = self.home.json("client add service --id service");
        let secret = service["client_secret"].as_str().unwrap();
        assert_eq!(client_credentials(&self.server, "service", secret).status, 200);
    }

    /// What a client gets for a signature by a key that nobody has.
    fn token_by_assertion(&self, id: &str) -> Value {
        let now = Clock::System.now();
        let [header, claims] = [
            json!({ "alg": "ES256", "kid": "1", "typ": "client-authentication+jwt" }),
            json!({
                "iss": id, "sub": id, "aud": self.server.issuer(), "jti": "1",
                "iat": now.seconds(), "exp": now.seconds() + 60
            }),
        ]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signature = URL_SAFE_NO_PAD.encode([1; 64]);
        let form = format!(
            "grant_type=client_credentials&client_assertion={header}.{claims}.{signature}\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        );
        ask(&self.server, &token_head(&self.server), &form).json()
    }
}

#[test]
fn an_offline_server_sends_no_packet_and_the_same_one_online_does() {
    let story = "ship::offline::an_offline_server_sends_no_packet_and_the_same_one_online_does";
    if !is_inside(&["--net", "--mount"], WAY_OUT, story) {
        return;
    }
    assert_eq!(sent(), 0, "the system sends something by itself");

    // The sandbox alone would keep it from most of this, and the program needs none for it.
    for options in [&["--offline", "--no-sandbox"][..], &["--offline"]] {
        let mut site = Site::new(options);
        for Step(what, _, run) in STEPS {
            run(&mut site);
            assert_eq!(sent(), 0, "{options:?}: {what}");
        }
        site.home.log_with("a client was not told of a logout");
        assert_eq!(sent(), 0, "{options:?}");
    }

    // Online each step asks the nameserver for the host of its own.
    let mut reader = Command::new("python3");
    let mut reader = Process(reader.args(["-c", READER]).stdout(Stdio::piped()).spawn().unwrap());
    let mut frames = BufReader::new(reader.0.stdout.take().unwrap()).lines();
    assert_eq!(frames.next().unwrap().unwrap(), "ready");
    let mut site = Site::new(&[]);
    for Step(what, host, run) in STEPS {
        let name = format!("{host} example com");
        thread::scope(|scope| {
            let site = &mut site;
            scope.spawn(move || run(site));
            let asked = frames.find(|frame| frame.as_ref().unwrap().contains(&name));
            assert!(asked.is_some(), "{what}: nobody asks for {host}");
            println!("{what}: {} packets so far", sent());
        });
    }
    assert!(sent() >= 5);
}
