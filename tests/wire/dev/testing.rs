//! The server in the process of a test: `gatelodge::testing`.

use std::net::TcpStream;
use std::time::Duration;

use gatelodge::testing::Gatelodge;
use serde_json::{Value, json};

use super::CALLBACK;

fn document() -> Value {
    json!({ "clients": { "shop": { "client_type": "public", "redirect_uris": [CALLBACK] } } })
}

fn port(server: &Gatelodge) -> u16 {
    server.issuer().rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
fn a_server_in_process_is_that_of_the_program_and_ends_with_its_value() {
    let server =
        Gatelodge::builder().seed(7).auto_approve("ada").apply(document()).start().unwrap();
    let port = port(&server);

    let control = server.control();
    let users = control.call("GET", "/api/v1/users", None).unwrap();
    control.advance(Duration::from_secs(60)).unwrap();
    control.approve_as(Some("bob")).unwrap();
    let refused = control.call("GET", "/nowhere", None).unwrap_err();

    assert_eq!(users["users"][0]["username"], "ada");
    assert_eq!(refused.status, 404);
    assert!(refused.to_string().contains("not_found"));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert_eq!(control.requests().unwrap(), [Value::Null; 0]);
    control.reset().unwrap();
    assert_eq!(control.call("GET", "/approval", None).unwrap()["user"], "ada");
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[tokio::test]
async fn it_serves_several_beside_each_other_in_a_runtime_of_the_tests() {
    let [one, other] = [1, 2]
        .map(|seed| Gatelodge::builder().seed(seed).clock("2030-01-01T00:00:00Z").start().unwrap());

    one.control().advance(Duration::from_secs(3600)).unwrap();

    let now =
        |server: &Gatelodge| server.control().call("GET", "/clock", None).unwrap()["now"].clone();
    assert_eq!(now(&one), "2030-01-01T01:00:00Z");
    assert_eq!(now(&other), "2030-01-01T00:00:00Z");
    assert_ne!(one.issuer(), other.issuer());
}

#[test]
fn what_is_malformed_is_said_before_anything_starts() {
    let builder = Gatelodge::builder;
    for failed in [
        builder().auto_approve("two words").start(),
        builder().clock("tomorrow").start(),
        builder().apply(json!([])).start(),
        builder().apply(json!({ "clients": { "shop": { "nonsense": 1 } } })).start(),
        builder().apply_file("/nowhere.toml").start(),
    ] {
        let failed = failed.err().unwrap();
        assert_eq!(failed.status, 0);
        assert!(failed.to_string().len() > 20, "{failed}");
    }
}
