//! The lines of an export: one object of JSON for each thing.
//!
//! These are no rows: a row may change its layout, and a line stays. What a line names has the names
//! of the protocols where those have one.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(super) use super::persons::*;
pub(super) use super::things::*;

use super::member::{Fault, Moment, line, take};

/// The number of the format of these lines.
pub(super) const FORMAT: u32 = 1;

line! {
    /// The first line: what the others are.
    Header {
        /// The time of the snapshot.
        at: Moment,
        /// The number of the format.
        format: u32,
        /// The value by which the key of hashes is recognised, by the number of its generation.
        hash_keys: BTreeMap<String, String>,
        /// The issuer.
        issuer: String,
        /// What is not in the file, on purpose.
        left_out: Vec<String>,
        /// The relying party of the passkeys: the host of the issuer.
        rp_id: String,
        /// The version of the program.
        version: String,
    }
}

line! {
    /// The last line, without which a file was cut.
    Trailer {
        /// The number of lines before it.
        lines: u64,
        /// The SHA-256 of all lines before it with their ends, in hexadecimal digits.
        sha256: String,
    }
}

/// Declares the kinds of lines, in the order in which they are written.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($line:ident) = $name:literal,)*) => {
        /// A line between the first and the last.
        #[derive(Clone, Debug)]
        pub(super) enum Line {
            $($(#[$doc])* $kind($line),)*
        }

        impl Line {
            /// The names of the kinds.
            pub(super) const KINDS: &[&str] = &[$($name),*];

            /// The name of its kind.
            pub(super) const fn kind(&self) -> &'static str {
                match self { $(Self::$kind(_) => $name,)* }
            }

            /// Its members, without the kind.
            pub(super) fn members(&self) -> Map<String, Value> {
                let value = match self { $(Self::$kind(line) => serde_json::to_value(line),)* };
                match value {
                    Ok(Value::Object(members)) => members,
                    // Every member has text for its keys.
                    Ok(_) | Err(_) => Map::new(),
                }
            }

            fn of(kind: &str, members: Map<String, Value>) -> Result<Self, Fault> {
                match kind {
                    $($name => $line::read(members).map(Self::$kind),)*
                    _ => {
                        let known = Self::KINDS.join(", ");
                        Err(Fault::at("kind", format!("{kind:?} is none; there is {known}")))
                    }
                }
            }
        }
    };
}

kinds! {
    /// A scope.
    Scope(ScopeLine) = "scope",
    /// A role.
    Role(RoleLine) = "role",
    /// A resource.
    Resource(ResourceLine) = "resource",
    /// A client.
    Client(ClientLine) = "client",
    /// A person.
    Person(PersonLine) = "person",
    /// A passkey.
    Passkey(PasskeyLine) = "passkey",
    /// A recovery code.
    RecoveryCode(RecoveryCodeLine) = "recovery_code",
    /// A linked device.
    Device(DeviceLine) = "device",
    /// A certificate.
    Certificate(CertificateLine) = "certificate",
    /// A consent.
    Consent(ConsentLine) = "consent",
    /// A setup link.
    SetupLink(SetupLinkLine) = "setup_link",
    /// An invitation.
    Invitation(InvitationLine) = "invitation",
    /// The mark of an applied file.
    Applied(AppliedLine) = "applied",
}

/// Any line of a file.
pub(super) enum AnyLine {
    /// The first.
    Header(Header),
    /// One between.
    Line(Box<Line>),
    /// The last.
    Trailer(Trailer),
}

impl AnyLine {
    /// Reads a line. Every member has to be there, and no other.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn read(text: &[u8]) -> Result<Self, Fault> {
        let value = serde_json::from_slice(text)
            .map_err(|error| Fault::whole(format!("this is no JSON: {}", without_line(&error))))?;
        let Value::Object(mut members) = value else {
            return Err(Fault::whole("an object is expected"));
        };
        let kind: String = take(&mut members, "kind")?;
        Ok(match kind.as_str() {
            HEADER => Self::Header(Header::read(members)?),
            TRAILER => Self::Trailer(Trailer::read(members)?),
            other => Self::Line(Box::new(Line::of(other, members)?)),
        })
    }
}

/// The sentence of the parser, whose line is always the first.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

/// The kind of the first line.
pub(super) const HEADER: &str = "header";
/// The kind of the last line.
pub(super) const TRAILER: &str = "end";

/// The bytes of a line of a kind, with its end. The kind comes first, for whoever reads it.
pub(super) fn written(kind: &str, members: &Map<String, Value>) -> Vec<u8> {
    let members = Value::Object(members.clone()).to_string();
    let rest = members.strip_prefix('{').unwrap_or(&members);
    let between = if rest == "}" { "" } else { "," };
    format!("{{\"kind\":{}{between}{rest}\n", Value::from(kind)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (Option<String>, String) {
        let fault = AnyLine::read(text.as_bytes()).err().unwrap();
        (fault.member, fault.sentence)
    }

    #[test]
    fn a_line_is_read_as_it_is_written_with_its_kind_first() {
        let text = r#"{"kind":"scope","description":"Look","name":"orders:read","open":true}"#;

        let Ok(AnyLine::Line(line)) = AnyLine::read(text.as_bytes()) else { panic!("a scope") };

        assert_eq!(line.kind(), "scope");
        assert_eq!(written(line.kind(), &line.members()), format!("{text}\n").into_bytes());
    }

    #[test]
    fn a_line_is_read_strictly() {
        let member = |text: &str| fault(text).0.unwrap_or_default();

        assert_eq!(member(r#"{"kind":"ghost"}"#), "kind");
        assert_eq!(member(r#"{"kind":"role","name":"a"}"#), "scope");
        assert_eq!(member(r#"{"kind":"role","name":"a b","scope":""}"#), "name");
        assert_eq!(member(r#"{"kind":"role","name":1,"scope":""}"#), "name");
        let unknown = fault(r#"{"kind":"role","name":"a","scope":"","more":1}"#);
        assert_eq!(unknown.0.as_deref(), Some("more"));
        assert!(unknown.1.ends_with("there is name scope"), "{}", unknown.1);
        assert!(fault("{").1.starts_with("this is no JSON: EOF"));
        assert_eq!(fault("[]").1, "an object is expected");
    }
}
