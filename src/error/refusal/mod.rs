//! The table of refusals: for each its code, its reason, its remedy and the section that it keeps.
//!
//! Each file beside this one has the rows of one part. A file's macro hands its rows on to the next
//! one, and the last makes the type of them.

#[macro_use]
mod authorization;
#[macro_use]
mod bridge;
#[macro_use]
mod client;
#[macro_use]
mod operator;
#[macro_use]
mod person;
#[macro_use]
mod request;
#[macro_use]
mod token;

use std::borrow::Cow;

use super::ErrorCode;

// What the peer is told where it must not learn which of several causes it was, or where people
// read it.
const ADMINISTRATION_CLOSED: &str =
    "None of your roles lets you into this part of the administration.";
const APP_ROLE_MISSING: &str = "None of your roles lets you into this application.";
const BRIDGE_FORBIDDEN: &str = "This bridge session is not yours.";
const CEREMONY_OVER: &str = "This passkey prompt is over. Please try again.";
const CLIENT_DISABLED: &str = "This app is disabled. It has nothing to do with your account.";
const CLIENT_UNPROVEN: &str = "the client is unknown, or its client_secret is wrong";
const CODE_USELESS: &str = "code is unknown, expired, used, ended or of another client";
const ACCOUNT_DISABLED: &str =
    "This account is disabled. Ask the administrator to enable it and to send you a new link.";
const ACCOUNT_REMOVED: &str =
    "This setup link is for an account that was removed. Ask the administrator for a new one.";
const DENIED: &str = "The request was denied.";
const DEVICE_CODE_USELESS: &str = "device_code is unknown, used, ended or of another client";
const DOCUMENT_UNREACHABLE: &str =
    "client_id: the server of the metadata document could not be reached securely";
const EMAIL_TAKEN: &str = "This e-mail address cannot be used here. Choose another one.";
const EXCHANGE_CODE_MISSING: &str = "missing exchange code";
const EXCHANGE_CODE_USELESS: &str = "invalid, expired or consumed exchange code";
const FOREIGN_PAGE: &str =
    "This request did not come from a page of this server. Reload the page and try again.";
const HOST_OF_PROXY: &str = "The proxy in front of this server hides the host name that you asked for. \
     It has to pass on the Host header of the browser.";
const HOST_SWITCHED_OFF: &str = "This host is switched off on this installation.";
const INTERACTION_OVER: &str = "This sign-in is over. Go back to the application and start again.";
const INVITATION_EARLY: &str = "This Gatelodge has no administrator yet, and the first account is theirs. \
     Come again when they have made it.";
const INVITATION_EXHAUSTED: &str =
    "As many people have come by this invitation as it was for. Ask for another one.";
const INVITATION_EXPIRED: &str = "This invitation has expired. Ask for a new one.";
const INVITATION_REVOKED: &str =
    "This invitation was taken back. Ask whoever sent it for another one.";
const INVITATION_UNKNOWN: &str =
    "This invitation is not known here. Check that it was copied whole.";
const LOGOUT_FOREIGN: &str = "Another site asked to sign you out of this application. If you want \
     that, sign out on a page of the application.";
const LOGOUT_OVER: &str = "This sign-out was begun in another browser, or too long ago. To sign out \
     here, open your account and sign out there.";
const NOT_FOR_PERSON: &str = "This app is not for this person.";
const NOTHING_HERE: &str = "There is nothing of that name here.";
const NOTHING_TO_TRUST: &str =
    "This server has no certificate of its own that a device would have to trust first.";
const PASSKEY_FOREIGN: &str =
    "This passkey belongs to another or an older Gatelodge. Use another one.";
const PASSKEYS_TOO_MANY: &str =
    "This account has 100 passkeys, and no account has more. Remove one first.";
const PASSKEY_GONE: &str = "There is no such passkey here, or it was removed.";
const PASSKEY_NAME_TAKEN: &str = "You have another passkey of that name. Choose another name.";
const PASSKEY_IS_LAST: &str =
    "This is your only passkey. Add another one first, or tick that you want to have none.";
const PASSKEY_OF_REMOVED: &str =
    "The account of this passkey was removed. Ask whoever runs this server.";
const PASSKEY_REMOVED: &str = "This passkey was removed from its account. Use another one.";
const PASSKEY_REFUSED: &str = "This passkey was not accepted.";
const PASSKEY_UNSTORED: &str = "This passkey was made while its link was used in another window, so it \
     opens nothing. Remove it from this device, and use the other one.";
const PERSON_DISABLED: &str =
    "This account is disabled. Ask whoever runs this server to enable it.";
const PUSHED_REQUEST_OVER: &str = "This way to sign in works once and only for a short time, and it \
     is over. Go back to the application and start again.";
const PUSHED_REQUEST_SPENT: &str = "This sign-in was finished already, perhaps in another window. To \
     sign in once more, go back to the application and start again.";
const RECOVERY_CODE_OVER: &str =
    "This recovery code is from before the account was disabled. Ask whoever runs this server.";
const RECOVERY_CODE_UNKNOWN: &str = "This recovery code is not known here. Check that it was typed whole. Newer codes replace older ones.";
const RECOVERY_CODE_USED: &str = "This recovery code was used already. Use another one.";
const REFRESH_TOKEN_USELESS: &str =
    "refresh_token is unknown, expired, used, revoked or of another client";
const SESSION_UNPROVEN: &str =
    "The proof of this session is missing, expired, used or wrong. Load the page again.";
const SETUP_LINK_EXPIRED: &str = "This setup link has expired. Ask for a new one.";
const SETUP_LINK_MISMATCHED: &str =
    "This setup link does not fit this page. Open the link itself once more.";
const SETUP_LINK_REVOKED: &str =
    "This setup link was taken back. Ask whoever sent it for a new one.";
const SETUP_LINK_SUPERSEDED: &str =
    "A newer setup link has replaced this one. Open the newest, or ask for another.";
const SETUP_LINK_SUSPENDED: &str = "This setup link ended when the account was disabled. Ask \
     for a new one.";
const SETUP_LINK_UNKNOWN: &str =
    "This setup link is not known here. Check that it was copied whole.";
const SETUP_LINK_USED: &str = "This setup link was used already. Ask for a new one.";
const SIGN_IN_STALE: &str = "Sign in once more: this needs a sign-in within the last five minutes.";
const SIGN_UP_CLOSED: &str =
    "Nobody makes an account here without a link. Ask the administrator for an invitation.";
const STALE_PAGE: &str =
    "This page is older than the last sign-in or sign-out in this browser. Load the page again.";
const TOO_MANY: &str = "Too many attempts. Please wait a moment and try again.";
const USER_NOT_VERIFIED: &str =
    "This passkey did not check that it is you. Set a PIN or a screen lock for it, and try again.";
const USERNAME_TAKEN: &str = "Somebody has this username already. Choose another one.";
const WRONG_HOST: &str = "This server does not answer under that host name.";

macro_rules! reason {
    ($reason:literal) => {
        Cow::Borrowed($reason)
    };
    ($reason:literal, $($with:ident),*) => {
        Cow::Owned(format!($reason))
    };
}

macro_rules! sentence {
    ($refusal:ident) => {
        $refusal.reason()
    };
    ($refusal:ident $sentence:ident) => {
        Cow::Borrowed($sentence)
    };
}

macro_rules! sentence_name {
    ($refusal:ident) => {
        stringify!($refusal)
    };
    ($refusal:ident $sentence:ident) => {
        stringify!($sentence)
    };
}

macro_rules! refusals {
    ([] $(
        $name:ident $(($($with:ident),*))? => $code:ident $(as $sentence:ident)?,
        $reason:literal, $remedy:literal, $section:literal, $resolution:ident;
    )*) => {
        /// The precise reason why a request is refused, with the name of the parameter or member
        /// where several can be meant. It contains no value of the request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Refusal {
            $(#[doc = $reason] $name $(($(refusals!(@text $with)),*))?,)*
        }

        impl Refusal {
            /// Every refusal, for the test that causes each. The names in it are placeholders.
            pub const ALL: &[Self] = &[$(Self::$name $(($(stringify!($with)),*))?),*];

            /// The code on the wire.
            pub const fn code(self) -> ErrorCode {
                match self { $(Self::$name { .. } => ErrorCode::$code,)* }
            }

            /// The name in the log.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name { .. } => stringify!($name),)* }
            }

            /// The reason in a sentence, for the log and for operators.
            pub fn reason(self) -> Cow<'static, str> {
                match self {
                    $(Self::$name $(($($with),*))? => reason!($reason $(, $($with),*)?),)*
                }
            }

            /// The reason with the names of its values in braces.
            const fn template(self) -> &'static str {
                match self { $(Self::$name { .. } => $reason,)* }
            }

            /// The reason of a refusal that names nothing.
            pub fn fixed_reason(self) -> &'static str {
                match self.reason() {
                    Cow::Borrowed(reason) => reason,
                    Cow::Owned(_) => "it is malformed",
                }
            }

            /// What can be done about it: a command, a setting, or what the client has to do. A word
            /// in capitals stands for a name; `CLIENT` is the client of the request.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name { .. } => $remedy,)* }
            }

            /// The refusal of that name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().find(|refusal| refusal.name() == name).copied()
            }

            /// The section that decides it.
            pub const fn section(self) -> &'static str {
                match self { $(Self::$name { .. } => $section,)* }
            }

            /// What it takes that such a request passes.
            pub const fn resolution(self) -> Resolution {
                match self { $(Self::$name { .. } => Resolution::$resolution,)* }
            }

            /// The sentence for the peer, `error_description`: the reason, unless several causes must
            /// look alike to it.
            pub fn sentence(self) -> Cow<'static, str> {
                match self { $(Self::$name { .. } => sentence!(self $($sentence)?),)* }
            }

            /// The name of that sentence, for its translations: refusals that must look alike have
            /// one, and any other has its own.
            pub const fn sentence_name(self) -> &'static str {
                match self { $(Self::$name { .. } => sentence_name!($name $($sentence)?),)* }
            }

            /// The names in the reason, with what they stand for.
            pub fn parameters(self) -> Vec<(&'static str, &'static str)> {
                match self {
                    $(Self::$name $(($($with),*))? => vec![$($((stringify!($with), $with)),*)?],)*
                }
            }
        }
    };
    (@text $with:ident) => { &'static str };
}

impl Refusal {
    /// The values in a reason that this refusal once had, by their names; `None` if it is another's, or
    /// was written by another version.
    pub fn values_in(self, reason: &str) -> Option<Vec<(&'static str, &str)>> {
        let (mut rest, mut template) = (reason, self.template());
        let mut values = Vec::new();
        while let Some((before, after)) = template.split_once('{') {
            let (name, behind) = after.split_once('}')?;
            rest = rest.strip_prefix(before)?;
            let next = behind.split('{').next().unwrap_or_default();
            let end = if next.is_empty() { rest.len() } else { rest.find(next)? };
            let (value, after) = rest.split_at(end);
            values.push((name, value));
            (rest, template) = (after, behind);
        }
        (rest == template).then_some(values)
    }

    /// The remedy, with the id of the client as a word of a command line.
    pub fn remedy_for(self, client: Option<&str>) -> Cow<'static, str> {
        for_client(self.remedy(), client)
    }
}

/// A remedy, with the id of the client as a word of a command line.
pub fn for_client<'a>(remedy: &'a str, client: Option<&str>) -> Cow<'a, str> {
    match client {
        Some(client) if remedy.contains("CLIENT") => {
            remedy.replace("CLIENT", &shell_word(client)).into()
        }
        Some(_) | None => remedy.into(),
    }
}

/// What it takes that a request passes which was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// What was used, revoked or expired does not come back: somebody begins again.
    Again,
    /// The client sends something else. No setting of this server lets such a request pass.
    Client,
    /// A command of an operator, and the same request passes.
    Command,
    /// A setting of the configuration, which is a file.
    Configuration,
    /// The clock, the disk or the proxy of a machine.
    Machine,
    /// The operator whose own request it was sends another.
    Operator,
    /// The person does something else.
    Person,
    /// Somebody with that right of the administration gives it.
    Right,
}

impl Resolution {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Again,
        Self::Client,
        Self::Command,
        Self::Configuration,
        Self::Machine,
        Self::Operator,
        Self::Person,
        Self::Right,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Again => "Again",
            Self::Client => "Client",
            Self::Command => "Command",
            Self::Configuration => "Configuration",
            Self::Machine => "Machine",
            Self::Operator => "Operator",
            Self::Person => "Person",
            Self::Right => "Right",
        }
    }

    /// Why there is no command that lets the request pass; `None` if there is one.
    pub const fn without_command(self) -> Option<&'static str> {
        match self {
            Self::Command => None,
            Self::Again => Some(
                "what was used, revoked or has expired does not come back, so that no command lets \
                 this request pass",
            ),
            Self::Client => {
                Some("the client has to send something else: no command lets such a request pass")
            }
            Self::Configuration => Some(
                "a setting of the configuration decides it, and that is a file, which no command \
                 writes",
            ),
            Self::Machine => Some("it lies outside of this server, where no command of it reaches"),
            Self::Operator => Some("it was an operator's own request, which has to be another one"),
            Self::Person => Some("the person has to do it, and no command does it for them"),
            Self::Right => Some(
                "whoever has a right of the administration gives it, and never because somebody asked \
                 for it",
            ),
        }
    }
}

/// A value as a word of a command line.
pub fn shell_word(value: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:/@".contains(&b);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.into();
    }
    format!("'{}'", value.replace('\'', "'\\''")).into()
}

authorization! { [bridge client operator person request token refusals] }
