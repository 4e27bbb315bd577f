//! Members of a client: one table per struct gives each member's field, its JSON name and its
//! parser.
//!
//! A field has the name that the member has in JSON. The struct serializes to a JSON object
//! without the members that have no value, and reads such an object back. [`Member`] parses the
//! value of a single member and says which refusal a bad value gets.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Refusal;
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::client::{
    ApplicationType, AssertionProfile, AuthMethod, ClaimsPlace, ClientType, GrantType, PkcePolicy,
    RefreshPolicy, SigningAlg, SubjectType,
};
use crate::oauth::display_name::DisplayName;
use crate::oauth::group::Group;
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::oauth::web_uri::WebUri;

/// The longest [`Prose`], in bytes.
const MAX_PROSE: usize = 255;

/// The error of a member with a bad value. The operator's API names the precise cause, registration
/// only the codes of RFC 7591 §3.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidMember {
    /// A value of another JSON type. It says which is expected.
    OfAnotherType(&'static str),
    /// A malformed value.
    Malformed(Refusal),
    /// A value that is malformed, with the same refusal for clients and operators.
    Refused(Refusal),
    /// A value that this server does not support. It says which it does.
    Unsupported(&'static str),
}

impl InvalidMember {
    /// The refusal for a client that registers itself.
    pub fn to_client(self, member: &'static str) -> Refusal {
        match self {
            Self::Malformed(refusal) => {
                Refusal::ClientMetadataMalformed(member, refusal.fixed_reason())
            }
            Self::OfAnotherType(why) => Refusal::ClientMetadataMalformed(member, why),
            Self::Refused(refusal) => refusal,
            Self::Unsupported(why) => Refusal::ClientMetadataUnsupported(member, why),
        }
    }

    /// The refusal for an operator.
    pub fn to_operator(self, member: &'static str) -> Refusal {
        match self {
            Self::Malformed(refusal) | Self::Refused(refusal) => refusal,
            Self::OfAnotherType(why) | Self::Unsupported(why) => {
                Refusal::MemberMalformed(member, why)
            }
        }
    }
}

/// The value of one member.
pub trait Member: Sized {
    /// Parses a value other than null.
    fn read(value: &Value) -> Result<Self, InvalidMember>;

    /// Whether the JSON object leaves the member out.
    fn is_absent(&self) -> bool {
        false
    }
}

/// Declares a struct whose fields are the members of a JSON object.
macro_rules! members {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(default)]
        pub struct $name {
            $(
                $(#[$member_doc])*
                #[serde(skip_serializing_if = "crate::oauth::client::member::Member::is_absent")]
                pub $member: $type,
            )*
        }

        impl $name {
            /// The names of all members.
            pub const MEMBERS: &[&str] = &[$(stringify!($member)),*];

            /// The name of the member `name`, if there is one.
            pub fn member(name: &str) -> Option<&'static str> {
                match name {
                    $(stringify!($member) => Some(stringify!($member)),)*
                    _ => None,
                }
            }

            /// Sets the member `name`; null gives it its default. Returns whether there is a
            /// member of that name.
            pub fn set(
                &mut self,
                name: &str,
                value: &serde_json::Value,
            ) -> Result<bool, $crate::oauth::client::member::InvalidMember> {
                match name {
                    $(stringify!($member) => {
                        self.$member = if value.is_null() {
                            Self::default().$member
                        } else {
                            $crate::oauth::client::member::Member::read(value)?
                        };
                    })*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
    };
}
pub(super) use members;

/// Implements [`Member`] for types that are parsed from a JSON string.
macro_rules! texts {
    ($($type:ty: $invalid:ident,)*) => {$(
        impl Member for $type {
            fn read(value: &Value) -> Result<Self, InvalidMember> {
                let text = value.as_str().ok_or(InvalidMember::OfAnotherType(STRING))?;
                text.parse().map_err(InvalidMember::$invalid)
            }
        }
    )*};
}

/// Implements [`Member`] for types with fixed values.
macro_rules! enumerated {
    ($($type:ty,)*) => {$(
        impl Member for $type {
            fn read(value: &Value) -> Result<Self, InvalidMember> {
                let text = value.as_str().ok_or(InvalidMember::OfAnotherType(STRING))?;
                text.parse().map_err(|_| InvalidMember::Unsupported(Self::EXPECTED))
            }
        }
    )*};
}

const STRING: &str = "a string is expected";

texts! {
    DisplayName: Malformed,
    Group: Malformed,
    RedirectUri: Refused,
    Resource: Refused,
    Scope: Malformed,
    Sector: Refused,
    WebUri: Malformed,
}

enumerated! {
    ApplicationType,
    AssertionProfile,
    AuthMethod,
    ClaimsPlace,
    ClientType,
    GrantType,
    PkcePolicy,
    RefreshPolicy,
    SigningAlg,
    SubjectType,
}

impl Member for String {
    fn read(value: &Value) -> Result<Self, InvalidMember> {
        value.as_str().map(str::to_owned).ok_or(InvalidMember::OfAnotherType(STRING))
    }
}

impl Member for bool {
    fn read(value: &Value) -> Result<Self, InvalidMember> {
        value.as_bool().ok_or(InvalidMember::OfAnotherType("true or false is expected"))
    }
}

impl Member for u32 {
    fn read(value: &Value) -> Result<Self, InvalidMember> {
        let number = value.as_u64().and_then(|number| Self::try_from(number).ok());
        number.ok_or(InvalidMember::OfAnotherType("a whole number is expected"))
    }
}

impl Member for JwkSet {
    fn read(value: &Value) -> Result<Self, InvalidMember> {
        Self::from_value(value).map_err(InvalidMember::Refused)
    }
}

impl<T: Member> Member for Vec<T> {
    fn read(value: &Value) -> Result<Self, InvalidMember> {
        let entries = value.as_array().ok_or(InvalidMember::OfAnotherType("a list is expected"))?;
        entries.iter().map(T::read).collect()
    }
}

impl<T: Member> Member for Option<T> {
    fn read(value: &Value) -> Result<Self, InvalidMember> {
        T::read(value).map(Some)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// Text without control characters, at most 255 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prose(Box<str>);

impl Member for Prose {
    fn read(value: &Value) -> Result<Self, InvalidMember> {
        let text = value.as_str().ok_or(InvalidMember::OfAnotherType(STRING))?;
        text.parse().map_err(|_| InvalidMember::OfAnotherType(PROSE))
    }
}

const PROSE: &str = "at most 255 bytes without control characters are expected";

impl std::str::FromStr for Prose {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        if s.len() > MAX_PROSE || s.chars().any(char::is_control) {
            return Err(Refusal::MemberMalformed("a text", PROSE));
        }
        Ok(Self(s.into()))
    }
}

/// The sector of a client with pairwise subjects: the host of a URL (OpenID Connect Core §8.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sector(Box<str>);

impl Sector {
    /// The host.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Sector {
    type Err = Refusal;

    fn from_str(host: &str) -> Result<Self, Refusal> {
        let address: WebUri = format!("https://{host}/").parse()?;
        if address.authority() == host {
            Ok(Self(host.into()))
        } else {
            Err(Refusal::WebUriMalformed)
        }
    }
}
