//! What an authenticator says of itself when it makes a passkey: its model and its transports.
//!
//! Nobody attests either of them. They help people to tell their passkeys apart, and nothing is
//! decided by them.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::{Uuid, uuid};

/// The model of an authenticator: the AAGUID of [WebAuthn](https://www.w3.org/TR/webauthn-3/) §6.5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aaguid(Uuid);

impl Aaguid {
    /// The model with these bytes; `None` for 16 zeros, by which an authenticator names no model.
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        let uuid = Uuid::from_bytes(bytes);
        (!uuid.is_nil()).then_some(Self(uuid))
    }

    /// The name of the product, if it is one of those that are known here.
    pub fn product(self) -> Option<&'static str> {
        PRODUCTS.iter().find(|(uuid, _)| *uuid == self.0).map(|(_, name)| *name)
    }
}

impl fmt::Display for Aaguid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// The products that people meet. The list goes into the binary, so that no name needs the network.
const PRODUCTS: &[(Uuid, &str)] = &[
    // What comes with a system or a browser.
    (uuid!("08987058-cadc-4b81-b6e1-30de50dcbe96"), "Windows Hello"),
    (uuid!("53414d53-554e-4700-0000-000000000000"), "Samsung Pass"),
    (uuid!("6028b017-b1d4-4c02-b4b3-afcdafc96bb2"), "Windows Hello"),
    (uuid!("771b48fd-d3d4-4f74-9232-fc157ab0507a"), "Edge on macOS"),
    (uuid!("9ddd1817-af5a-4672-a2b9-3e3dd95000a9"), "Windows Hello"),
    (uuid!("adce0002-35bc-c60a-648b-0b25f1f05503"), "Chrome on macOS"),
    (uuid!("b5397666-4885-aa6b-cebf-e52262a439a2"), "Chromium"),
    (uuid!("dd4ec289-e01d-41c9-bb89-70fa845d4bf2"), "iCloud Keychain"),
    (uuid!("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"), "Google Password Manager"),
    (uuid!("fbfc3007-154e-4ecc-8c0b-6e020557d7bd"), "iCloud Keychain"),
    // Password managers.
    (uuid!("0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6"), "Keeper"),
    (uuid!("50726f74-6f6e-5061-7373-50726f746f6e"), "Proton Pass"),
    (uuid!("531126d6-e717-415c-9320-3d9aa6981239"), "Dashlane"),
    (uuid!("b78a0a55-6ef8-d246-a042-ba0f6d55050c"), "LastPass"),
    (uuid!("b84e4048-15dc-4dd0-8640-f4f60813c8af"), "NordPass"),
    (uuid!("bada5566-a7aa-401f-bd96-45619a55120d"), "1Password"),
    (uuid!("bfc748bb-3429-4faa-b9f9-7cfa9f3b76d0"), "iPasswords"),
    (uuid!("d548826e-79b4-db40-a3d8-11116f7e8349"), "Bitwarden"),
    (uuid!("f3809540-7f14-49c1-a8b3-8f813b225541"), "Enpass"),
    (uuid!("fdb141b2-5d84-443e-8a35-4698c205a502"), "KeePassXC"),
    // Security keys.
    (uuid!("149a2021-8ef6-4133-96b8-81f8d5b7f1f5"), "Security Key by Yubico"),
    (uuid!("2fc0579f-8113-47ea-b116-bb5a8db9202a"), "YubiKey 5 NFC"),
    (uuid!("6d44ba9b-f6ec-2e49-b930-0c8fe920cb73"), "Security Key by Yubico"),
    (uuid!("73bb0cd4-e502-49b8-9c6f-b59445bf720b"), "YubiKey 5 FIPS"),
    (uuid!("a25342c0-3cdc-4414-8e46-f4807fca511c"), "YubiKey 5"),
    (uuid!("a4e9fc6d-4cbe-4758-b8ba-37598bb5bbaa"), "Security Key by Yubico"),
    (uuid!("b92c3f9a-c014-4056-887f-140a2501163b"), "Security Key by Yubico"),
    (uuid!("c1f9a0bc-1dd2-404a-b27f-8e29047a43fd"), "YubiKey 5 FIPS"),
    (uuid!("c5ef55ff-ad9a-4b9f-b580-adebafe026d0"), "YubiKey 5Ci"),
    (uuid!("cb69481e-8ff7-4039-93ec-0a2729a154a8"), "YubiKey 5"),
    (uuid!("d8522d9f-575b-4866-88a9-ba99fa02f35b"), "YubiKey Bio"),
    (uuid!("ee882879-721c-4913-9775-3dfcce97072a"), "YubiKey 5"),
    (uuid!("f8a011f3-8c0a-4d15-8006-17111f9edc7d"), "Security Key by Yubico"),
    (uuid!("fa2b99dc-9e39-4257-8f92-4a30d23c4118"), "YubiKey 5 NFC"),
];

/// How a browser reaches an authenticator: `AuthenticatorTransport` of WebAuthn §5.8.4, and the names
/// of before (`cable`) and beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Transport {
    /// Bluetooth Low Energy.
    Ble,
    /// Another device, such as a phone that scans a code.
    Hybrid,
    /// The device of the browser itself.
    Internal,
    /// Near-field communication.
    Nfc,
    /// A smart card with contacts.
    SmartCard,
    /// USB.
    Usb,
}

impl Transport {
    /// The transport of that name; `None` if it is none of these (§5.2.1: "unknown values").
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ble" => Self::Ble,
            "cable" | "hybrid" => Self::Hybrid,
            "internal" => Self::Internal,
            "nfc" => Self::Nfc,
            "smart-card" => Self::SmartCard,
            "usb" => Self::Usb,
            _ => return None,
        })
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ble => "ble",
            Self::Hybrid => "hybrid",
            Self::Internal => "internal",
            Self::Nfc => "nfc",
            Self::SmartCard => "smart-card",
            Self::Usb => "usb",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_name_no_model() {
        assert_eq!(Aaguid::from_bytes([0; 16]), None);
    }

    #[test]
    fn a_known_model_has_the_name_of_its_product_and_another_one_its_number() {
        let known = Aaguid::from_bytes(*uuid!("fdb141b2-5d84-443e-8a35-4698c205a502").as_bytes());
        let other = Aaguid::from_bytes([7; 16]);

        assert_eq!(known.and_then(Aaguid::product), Some("KeePassXC"));
        assert_eq!(other.and_then(Aaguid::product), None);
        let written = other.map(|other| other.to_string());
        assert_eq!(written.as_deref(), Some("07070707-0707-0707-0707-070707070707"));
    }

    #[test]
    fn no_model_has_two_names() {
        let mut models: Vec<_> = PRODUCTS.iter().map(|(uuid, _)| uuid).collect();
        models.sort();
        models.dedup();

        assert_eq!(models.len(), PRODUCTS.len());
    }

    #[test]
    fn a_transport_is_read_as_it_is_written() {
        for name in ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"] {
            assert_eq!(Transport::named(name).map(Transport::as_str), Some(name));
        }
        assert_eq!(Transport::named("cable"), Some(Transport::Hybrid));
        assert_eq!(Transport::named("telepathy"), None);
    }
}
