//! An installation on which every verb has something to do.

use std::fs;

use serde_json::json;

use crate::connection::{ask, get};
use crate::person::Person;
use crate::program::{Home, Server};

/// A home, and the server that runs there, if one does.
pub(super) struct Installation {
    pub(super) home: Home,
    pub(super) server: Option<Server>,
}

/// What a command said.
pub(super) struct Said {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

/// What stands in braces for a value that a command prints: the command, and where it has it.
const LOOKUPS: [(&str, &str, &str); 8] = [
    ("{event}", "events --kind request.refused", "/events/0/id"),
    ("{grant}", "grant list", "/grants/0/id"),
    ("{invitation}", "invite list", "/invitations/0/id"),
    ("{issuer}", "issuer show", "/issuer"),
    ("{link}", "link list --user bob1", "/links/0/id"),
    ("{passkey}", "passkey list", "/passkeys/0/id"),
    ("{session}", "session list", "/sessions/0/id"),
    ("{token}", "token issue --client robot", "/access_token"),
];

impl Installation {
    /// Without a store.
    pub(super) fn bare() -> Self {
        let home = Home::new();
        let document = json!({
            "client_id": "https://app.example/client.json", "client_name": "Reader",
            "redirect_uris": ["http://localhost/callback"], "token_endpoint_auth_method": "none",
        });
        fs::write(home.path("client.json"), document.to_string()).unwrap();
        for number in ["1", "2"] {
            let scope = format!("[scopes.'cellar{number}:read']\ndescription = 'Look there'\n");
            fs::write(home.path(&format!("house{number}.toml")), scope).unwrap();
            let dex = format!(
                "staticClients:\n- id: dex{number}\n  public: true\n  redirectURIs: [https://dex.example/cb]\n"
            );
            fs::write(home.path(&format!("dex{number}.yaml")), dex).unwrap();
        }
        Self { home, server: None }
    }

    /// Without a server, after one that ran.
    pub(super) fn resting() -> Self {
        let Self { home, .. } = Self::bare();
        let server = home.start(&["serve", "--listen", "127.0.0.1:0", "--offline"]);
        home.json("client add robot --id robot");
        home.json("client add front --id front --redirect https://front.example/cb");
        // Ada has two passkeys.
        for command in ["user add ada", "user recover ada"] {
            let link = home.json(command);
            Person::by_link(&server, link["setup_url"].as_str().unwrap(), None);
        }
        for app in ["back1", "back2"] {
            home.json(&format!("client add {app} --id {app} --redirect https://{app}.example/cb"));
            home.json(&format!("token issue --client {app} --user ada"));
        }
        for desk in ["desk1", "desk2"] {
            home.json(&format!("bridge issue-pat ada --name {desk}"));
        }
        beat(&home, &server);
        let refused =
            get(&server, "/oauth/authorize?client_id=front&redirect_uri=https://x.example");
        assert_eq!(refused.status, 400);
        // The request that was refused is written at the stop.
        server.terminate();
        assert!(server.end().success());
        Self { home, server: None }
    }

    /// With a server that runs.
    pub(super) fn running() -> Self {
        let Self { home, .. } = Self::resting();
        let server = home.start(&["serve", "--offline"]);
        Self { home, server: Some(server) }
    }

    /// Runs a verb with these arguments, for the `number`th time.
    pub(super) fn run(&self, verb: &str, with: &str, number: u8, is_json: bool) -> Said {
        let with = self.fill(with, number);
        let json = is_json.then_some("--json");
        let arguments: Vec<&str> =
            verb.split(' ').chain(with.split_whitespace()).chain(json).collect();
        let output = self.home.command(&arguments).output().unwrap();
        let [out, err] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        Said { code: output.status.code().unwrap(), out, err }
    }

    /// Replaces `{n}` by the number, `{home}` by the home, and what a command prints by that, where
    /// there is a store.
    pub(super) fn fill(&self, text: &str, number: u8) -> String {
        let home = self.home.path("");
        let mut text = text.replace("{n}", &number.to_string());
        text = text.replace("{home}/", home.to_str().unwrap());
        for (name, command, place) in LOOKUPS {
            if !text.contains(name) {
                continue;
            }
            let value = if self.home.data().exists() {
                self.home.json(command).pointer(place).unwrap().as_str().unwrap().to_owned()
            } else {
                "none".to_owned()
            };
            text = text.replace(name, &value);
        }
        text
    }
}

/// A bridge of ada says that it is there.
fn beat(home: &Home, server: &Server) {
    let issued = home.json("bridge issue-token ada");
    let token = issued["token"].as_str().unwrap();
    let host = server.issuer().strip_prefix("http://").unwrap();
    let head = format!(
        "POST /v1/bridge/heartbeat HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json"
    );
    let beat = json!({
        "session_id": "desk-1", "bridge_version": "1.2.3", "os": "linux", "hostname": "desk",
        "forwarded_total": 0, "tokens_in_total": 0, "tokens_out_total": 0,
    });
    let response = ask(server, &head, &beat.to_string());
    assert_eq!(response.status, 200, "{}", response.body);
}
