//! Who named an address that this server goes to by itself.

/// Who named an address: of a client's keys, of its sector, of its logout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NamedBy {
    /// An operator, who registered the client or imported its document. The address may be in a
    /// private network.
    Operator,
    /// Somebody unknown: the client registered itself, or its document was fetched. The address has to
    /// be public.
    Stranger,
}

impl NamedBy {
    /// Its name, by which failures at one address are counted apart.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Stranger => "stranger",
        }
    }
}
