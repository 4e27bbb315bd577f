//! What is found among many, and how little is read for it.

use std::cell::Cell;

use gatelodge::clock::Timestamp;
use gatelodge::error::{Error, Refusal};
use gatelodge::flow::named::client;
use gatelodge::oauth::client::metadata::ClientMetadata;
use gatelodge::store::schema::{Client, Origin};
use gatelodge::store::{Read, Store, StoreError, View};

/// More clients than a search may read.
const CLIENTS: usize = 2000;

/// The most rows that all steps of one search may read.
const READ: usize = 1100;

/// A view that counts the rows that are read.
struct Counted {
    read: Cell<usize>,
    view: Read,
}

impl View for Counted {
    fn raw(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read.set(self.read.get() + 1);
        self.view.raw(key)
    }

    fn raw_range(
        &self,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let rows = self.view.raw_range(from, to, limit)?;
        self.read.set(self.read.get() + rows.len());
        Ok(rows)
    }

    fn raw_count(&self, from: &[u8], to: &[u8], limit: usize) -> Result<usize, StoreError> {
        self.view.raw_count(from, to, limit)
    }
}

/// A store with many clients: each second one is called robot, and the others by their number.
async fn many() -> Counted {
    let store = Store::memory().unwrap();
    let filled = store.write(|tx| {
        for number in 0..CLIENTS {
            let name = if number % 2 == 0 { "robot".into() } else { format!("n{number}") };
            let client_name = Some(name.parse()?);
            let metadata = ClientMetadata { client_name, ..ClientMetadata::default() };
            let client = Client::new(Timestamp::default(), Origin::Operator, metadata);
            tx.put(&format!("client-{number:04}").parse()?, client)?;
        }
        Ok::<(), Error>(())
    });
    filled.await.unwrap();
    Counted { read: Cell::new(0), view: store.read().unwrap() }
}

#[tokio::test]
async fn a_search_among_many_reads_few_rows() {
    let view = many().await;
    let find = |written: &str| {
        view.read.set(0);
        let found = client(&view, written).map(|(id, _)| id.to_string());
        (found, view.read.get())
    };

    for (written, limit) in [("client-0007", 2), ("N7", 4)] {
        let (found, read) = find(written);
        assert_eq!(found.unwrap(), "client-0007");
        assert!(read <= limit, "{written}: {read}");
    }
    for written in ["robot", "clie", "nobody", "rob"] {
        let (found, read) = find(written);
        assert!(found.is_err() && read <= READ, "{written}: {read}");
    }
}

#[tokio::test]
async fn more_than_are_read_are_never_one() {
    let view = many().await;

    let named = client(&view, "robot");
    let near = client(&view, "n19990").unwrap_err();

    let Err(Error::Choice(refusal, choices)) = named else { panic!("it is refused") };
    assert_eq!(refusal, Refusal::NameAmbiguous);
    assert_eq!(choices.candidates.len(), 10);
    let Error::Choice(Refusal::ClientNotFound, choices) = near else { panic!("{near}") };
    assert!((1..=10).contains(&choices.known.len()), "{:?}", choices.known);
    assert!(choices.known.iter().all(|name| name.starts_with('n')), "{:?}", choices.known);
}
