//! The layouts of rows: how a row is stored, and how it was.

pub(super) mod v1;

/// Declares the layouts of a row that has had only one.
macro_rules! layout {
    ($layout:ident, $row:ident) => {
        #[doc = concat!("Every layout that [`", stringify!($row), "`] has had.")]
        #[derive(Clone, serde::Serialize, serde::Deserialize)]
        pub enum $layout {
            /// The first layout.
            V1($row),
        }

        impl From<$row> for $layout {
            fn from(row: $row) -> Self {
                Self::V1(row)
            }
        }

        impl From<$layout> for $row {
            fn from(layout: $layout) -> Self {
                match layout {
                    $layout::V1(row) => row,
                }
            }
        }
    };
}
pub(super) use layout;

/// Declares the layouts of a row that has had two, of which the first can be read as the row.
macro_rules! second_layout {
    ($layout:ident, $first:ident, $row:ident) => {
        #[doc = concat!("Every layout that [`", stringify!($row), "`] has had.")]
        #[derive(Clone, serde::Serialize, serde::Deserialize)]
        pub enum $layout {
            /// The first layout.
            V1($first),
            /// The second layout.
            V2($row),
        }

        impl From<$row> for $layout {
            fn from(row: $row) -> Self {
                Self::V2(row)
            }
        }

        impl From<$layout> for $row {
            fn from(layout: $layout) -> Self {
                match layout {
                    $layout::V1(first) => first.into(),
                    $layout::V2(row) => row,
                }
            }
        }
    };
}
pub(super) use second_layout;
