//! The macros that declare the texts of the pages.

/// A section: a struct with a method for each of its texts.
macro_rules! section {
    ($Section:ident { $($name:ident $(($($value:ident),+))?,)* }) => {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(in crate::http) struct $Section {
            $($name: $crate::http::texts::phrase::Phrase,)*
        }

        impl $Section {
            $(
                pub(in crate::http) fn $name(
                    &self, $($($value: impl $crate::http::texts::value::ToValue),+)?
                ) -> $crate::http::texts::phrase::Filled<'_> {
                    self.$name.filled(vec![$($((stringify!($value), $value.to_value())),+)?])
                }
            )*

            /// Every text, with its name and the values that it is given.
            #[cfg(test)]
            fn declared(&self, section: &str) -> Vec<$crate::http::texts::sections::Declared<'_>> {
                vec![$((
                    format!("{section}.{}", stringify!($name)),
                    &self.$name,
                    [$($(stringify!($value)),+)?].as_slice(),
                ),)*]
            }
        }
    };
}

/// A group of sections: a struct with a field for each, in a box, as those of all texts are.
macro_rules! sections {
    ($(#[$doc:meta])* $Group:ident { $($section:ident: $Section:ident $texts:tt)* }) => {
        $(#[$doc])*
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(in crate::http) struct $Group {
            $(pub(in crate::http) $section: Box<$Section>,)*
        }

        impl $Group {
            /// Every text, with its name and the values that it is given.
            #[cfg(test)]
            pub(super) fn declared(
                &self, group: &str
            ) -> Vec<$crate::http::texts::sections::Declared<'_>> {
                let mut all = Vec::new();
                $(all.extend(self.$section.declared(&format!("{group}.{}", stringify!($section))));)*
                all
            }
        }

        $($crate::http::texts::declare::section! { $Section $texts })*
    };
}

pub(super) use {section, sections};
