//! Rows and entries that are found by an earlier form of a hash: under the root key of before a
//! rotation.

use gatelodge::secret::{Entropy, Generations, Pepper, RootSecret, TokenHash};
use gatelodge::store::{Entries, Index, Read, References, Row, Store, StoreError, Tag, View};
use serde::{Deserialize, Serialize};

use super::rows::one_layout;

/// A row by the hash of one secret, which is found by another, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Locker {
    number: u8,
    tag: TokenHash,
}

const LOCKERS_BY_TAG: Index<TokenHash, TokenHash> = Index::new(205, "lockers_by_tag");

one_layout!(LockerLayout, Locker);

impl Row for Locker {
    type Key = TokenHash;
    type Layout = LockerLayout;
    const TABLE: Tag = Tag { byte: 204, name: "lockers" };

    fn entries(&self, key: &TokenHash, into: &mut Entries) {
        into.add(&LOCKERS_BY_TAG, &self.tag, key);
    }

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// The peppers of before and after a rotation.
fn peppers() -> (Pepper, Pepper) {
    let root = |seed| RootSecret::generate(&Entropy::seeded(seed).seed());
    let (first, lasting) = (Generations::first(root(1)), root(1).lasting_key());
    let both = first.succeeded_by(root(2)).unwrap();
    (Pepper::of(&first, &lasting), Pepper::of(&both, &lasting))
}

#[tokio::test]
async fn a_row_is_found_changed_and_removed_where_an_earlier_root_key_put_it() {
    let store = Store::memory().unwrap();
    let (before, after) = peppers();
    let key = |pepper: &Pepper| pepper.hash_parts("key", b"secret");
    let tag = |pepper: &Pepper| pepper.hash_parts("tag", b"secret");
    let (old, new) = (key(&before), key(&after));
    let (old_tag, new_tag) = (tag(&before), tag(&after));
    store.write(move |tx| tx.put(&old, Locker { number: 1, tag: old_tag })).await.unwrap();

    let shared = |view: &Read, key: &TokenHash| {
        view.find_shared::<Locker>(key).unwrap().map(|row| row.number)
    };
    let view = store.read().unwrap();
    assert_eq!(view.find::<Locker>(&new).unwrap().unwrap().number, 1);
    assert_eq!((shared(&view, &new), shared(&view, &old)), (Some(1), Some(1)));
    assert_eq!(shared(&view, &new.newest_alone()), None);
    assert_eq!(view.by(&LOCKERS_BY_TAG, &new_tag, 1).unwrap(), [old]);
    drop(view);
    // It stays where it is, and is found by its new tag.
    store.write(move |tx| tx.put(&new, Locker { number: 2, tag: new_tag })).await.unwrap();
    let view = store.read().unwrap();
    assert_eq!(view.count::<Locker>(9).unwrap(), 1);
    assert_eq!(view.find::<Locker>(&old).unwrap().unwrap().number, 2);
    assert_eq!((shared(&view, &new), shared(&view, &old)), (Some(2), Some(2)));
    assert_eq!(shared(&view, &new.newest_alone()), None);
    assert_eq!(view.by(&LOCKERS_BY_TAG, &new_tag.newest_alone(), 9).unwrap(), [old]);
    assert!(view.by(&LOCKERS_BY_TAG, &old_tag, 9).unwrap().is_empty());
    drop(view);

    let removed = store.write(move |tx| tx.remove::<Locker>(&new)).await.unwrap();
    let nothing: Result<Option<Locker>, StoreError> =
        store.write(move |tx| tx.remove::<Locker>(&new)).await;

    assert_eq!(removed.unwrap().number, 2);
    assert_eq!(nothing.unwrap(), None);
    let view = store.read().unwrap();
    assert!(view.by(&LOCKERS_BY_TAG, &new_tag, 9).unwrap().is_empty());
    assert_eq!((shared(&view, &new), shared(&view, &old)), (None, None));
}
