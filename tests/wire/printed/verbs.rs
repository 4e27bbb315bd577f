//! Every verb that there is: its help, and an option that there is not.

use crate::program::Home;

/// The commands that the help of `verb` lists.
fn below(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = lines.take_while(|line| line.starts_with("  "));
    let names = commands.filter(|line| !line.starts_with("   "));
    let name = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    names.map(name).filter(|name| name != "help").collect()
}

fn help(home: &Home, verb: &[String]) -> String {
    let arguments: Vec<&str> = verb.iter().map(String::as_str).chain(["--help"]).collect();
    let output = home.command(&arguments).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{verb:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every verb, with its help.
fn verbs(home: &Home) -> Vec<(Vec<String>, String)> {
    let (mut found, mut waiting) = (Vec::new(), vec![Vec::new()]);
    while let Some(verb) = waiting.pop() {
        let help = help(home, &verb);
        for name in below(&help) {
            waiting.push([verb.clone(), vec![name]].concat());
        }
        found.push((verb, help));
    }
    found
}

/// The names of those that have none below them.
pub(crate) fn alone(home: &Home) -> Vec<String> {
    let alone = verbs(home).into_iter().filter(|(_, help)| below(help).is_empty());
    alone.map(|(verb, _)| verb.join(" ")).collect()
}

#[test]
fn every_verb_says_first_what_it_does_and_refuses_an_option_that_there_is_not() {
    let home = Home::new();
    let verbs = verbs(&home);
    assert!(verbs.len() > 60, "{}", verbs.len());
    for known in ["client rotate-secret", "doctor", "token inspect", "bridge end", "config reload"]
    {
        assert!(verbs.iter().any(|(verb, _)| verb.join(" ") == known), "{known}");
    }

    for (verb, help) in &verbs {
        let first = help.lines().next().unwrap();
        let is_sentence = first.starts_with(char::is_uppercase) && first.split(' ').count() > 1;
        assert!(is_sentence && !first.starts_with("Usage"), "{verb:?}: {first:?}");
        let usage = format!(
            "Usage: gatelodge{}",
            verb.iter().map(|name| format!(" {name}")).collect::<String>()
        );
        assert!(help.lines().any(|line| line.starts_with(&usage)), "{verb:?}: {help}");
        assert!(!help.contains('\u{1b}'), "{verb:?}: colours are for terminals");

        let arguments = verb.iter().map(String::as_str).chain(["--no-such-option"]);
        let refused = home.command(&arguments.collect::<Vec<_>>()).output().unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{verb:?}: {said}");
        assert!(
            refused.stdout.is_empty() && said.contains("'--no-such-option'"),
            "{verb:?}: {said}"
        );
    }
    assert!(!home.data().exists(), "nothing is made");
}
