//! A file with a fault is applied in no part, and the fault has its line and its column.

use std::fs;

use serde_json::{Value, json};

use super::{apply, house, rewrite};

/// What standard error says of a file, after its name, and the exit code.
#[track_caller]
fn refused(home: &crate::program::Home, text: &str) -> (i32, String) {
    rewrite(home, text);
    let output = apply(home, "");
    let error = String::from_utf8(output.stderr).unwrap();
    let path = home.path("house").display().to_string();
    assert!(output.stdout.is_empty());
    (output.status.code().unwrap(), error.replace(&format!("{path}/"), ""))
}

#[test]
fn what_the_server_refuses_has_the_line_and_what_there_is() {
    let home = house("");
    let _server = home.serve();

    let role = refused(&home, "[users.ada]\nroles = [\n  \"user\",\n  \"clrek\",\n]\n");
    let uri = refused(&home, "[clients.shop]\nredirect_uris = [\"https://shop.example/*\"]\n");
    let kind = refused(&home, "[clients.shop]\n\nfirst_party = \"yes\"\n");
    let person = refused(&home, "[groups.staff]\nmembers = [\"ada\"]\n[users.bob]\n");

    assert_eq!(
        role,
        (
            4,
            "gatelodge: house.toml:4:3: users.ada.roles[1]: the configuration knows no such role \
             (invalid_request)\ngatelodge: there is: user, admin\ngatelodge: name it in the \
             configuration: [roles], or in a file: gatelodge apply -f FILE\n"
                .to_owned()
        )
    );
    let first = |(exit, text): &(i32, String)| (*exit, text.lines().next().unwrap().to_owned());
    assert_eq!(
        first(&uri),
        (
            4,
            "gatelodge: house.toml:2:18: clients.shop.redirect_uris[0]: a redirect URI has a wildcard \
             (invalid_request)"
                .to_owned()
        )
    );
    assert_eq!(
        first(&kind),
        (
            4,
            "gatelodge: house.toml:3:1: clients.shop.first_party: true or false is expected \
             (invalid_request)"
                .to_owned()
        )
    );
    assert_eq!(
        first(&person),
        (
            3,
            "gatelodge: house.toml:2:12: groups.staff.members[0]: there is no person with this username \
             (not_found)"
                .to_owned()
        )
    );
    assert_eq!(home.json("user list")["users"], json!([]), "bob is not there either");
}

#[test]
fn what_is_wrong_with_the_form_is_told_at_once_and_changes_nothing() {
    let home = house("");
    home.serve().kill();

    let (exit, text) = refused(
        &home,
        "[client.shop]\n[clients.shop]\nredirect_url = []\nsecret = \"x\"\n[users.ada]\n",
    );

    assert_eq!(exit, 2);
    assert_eq!(
        text,
        "gatelodge: house.toml:1:2: client: there is no such key; the nearest is clients\n\
         gatelodge: house.toml:3:1: clients.shop.redirect_url: there is no such key; the nearest is \
         clients.shop.redirect_uris\n\
         gatelodge: house.toml:4:1: clients.shop.secret: a secret does not belong in this file; put it \
         into a file of its own, mode 0600, and name that as secret_file, or into a variable and name \
         that as secret_env\n"
    );
    assert_eq!(home.json("user list")["users"], json!([]));
    let (exit, text) = refused(&home, "[users.ada\n");
    assert!(
        exit == 2 && text.starts_with("gatelodge: house.toml:1:11: this is no TOML: "),
        "{text}"
    );
}

#[test]
fn a_fault_in_json_has_its_place_in_members() {
    let home = house("[users.ada]\nroles = [\"clerk\"]\n");
    home.serve().kill();

    let refused = apply(&home, "--json");
    rewrite(&home, "[user.ada]\n");
    let form = apply(&home, "--json");

    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let (refused, form) = (read(&refused.stderr), read(&form.stderr));
    assert_eq!(
        [&refused["at"], &refused["line"], &refused["column"], &refused["error"]],
        [&json!("users.ada.roles[0]"), &json!(2), &json!(10), &json!("invalid_request")]
    );
    let fault = &form["faults"][0];
    assert_eq!(
        [&fault["at"], &fault["line"], &fault["column"], &form["error"]],
        [&json!("user"), &json!(1), &json!(2), &json!("invalid_document")]
    );
}

#[test]
fn a_secret_that_cannot_be_read_is_named_and_never_told() {
    let home = house("[clients.shop]\nsecret_file = \"secrets/shop\"\n");
    home.serve().kill();
    let secret = home.path("house/secrets/shop");
    let first = |text: &str| {
        let (exit, said) = refused(&home, text);
        assert!(!said.contains("their-own"), "{said}");
        (exit, said.lines().next().unwrap().to_owned())
    };

    fs::write(&secret, b"\xff\xfea\0").unwrap();
    let (exit, utf16) = first("[clients.shop]\nsecret_file = \"secrets/shop\"\n");
    fs::write(&secret, "a-secret-of-their-own with é").unwrap();
    let unfit = first("[clients.shop]\nsecret_file = \"secrets/shop\"\n");
    let unset = first("[clients.shop]\nsecret_env = \"NOBODY_SET_IT\"\n");
    let both = first("[clients.shop]\nsecret_env = \"HOME\"\nsecret_file = \"secrets/shop\"\n");

    assert!(exit == 2 && utf16.contains("house.toml:2:15: clients.shop.secret_file: "), "{utf16}");
    assert!(utf16.contains("it is text in UTF-16"), "{utf16}");
    assert!(
        unfit.1.starts_with("gatelodge: house.toml:2:1: clients.shop.client_secret: "),
        "{unfit:?}"
    );
    assert!(unset.1.ends_with("the variable NOBODY_SET_IT is not set"), "{unset:?}");
    assert!(both.1.ends_with("another key says the same; one of them is enough"), "{both:?}");
}

#[test]
fn what_the_configuration_defines_otherwise_is_refused_by_name() {
    let home = house("[scopes.\"orders:read\"]\nopen = true\n");
    let config = home.path("gatelodge.toml");
    fs::write(&config, "[scopes.\"orders:read\"]\ndescription = \"Orders\"\n").unwrap();
    let config = format!("--config {}", config.display());
    let start: Vec<_> =
        ["serve", "--listen", "127.0.0.1:0"].into_iter().chain(config.split(' ')).collect();
    home.start(&start).kill();

    let output = apply(&home, &config);

    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(
        said.contains("house.toml:2:1: scopes.\"orders:read\".open: the configuration defines"),
        "{said}"
    );
}

#[test]
fn what_is_still_in_use_is_not_pruned() {
    let home = house("[scopes.\"orders:read\"]\n");
    home.serve().kill();
    apply(&home, "");
    home.json("client add Robot --id robot --scope orders:read");
    rewrite(&home, "");

    let output = apply(&home, "--prune");

    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(
        said.starts_with(
            "gatelodge: scopes.\"orders:read\": a scope or role that is to be removed"
        ),
        "{said}"
    );
    assert!(said.contains("\ngatelodge: it is used by robot (client)\n"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_wrong_usage() {
    let home = house("");
    fs::remove_file(home.path("house/house.toml")).unwrap();

    let output = apply(&home, "");

    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("house.toml: it cannot be read: No such file"), "{said}");
}
