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

/// All texts of a language.
macro_rules! texts {
    (
        pages { $($section:ident: $Section:ident $texts:tt)* }
        scripts { $($script:ident: $Script:ident {
            $($text:ident $(($($given:ident),+))?,)*
        })* }
    ) => {
        /// The texts of a language. Each section is in a box of its own, or the reader of the file would
        /// need more of the stack than a thread has.
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(in crate::http) struct Texts {
            /// Those of the pages of the administration.
            pub(in crate::http) admin: Box<$crate::http::texts::administration::Administration>,
            /// Those beside the things of a page.
            pub(in crate::http) beside: Box<$crate::http::texts::beside::Beside>,
            $(pub(in crate::http) $section: Box<$Section>,)*
            $(pub(in crate::http) $script: Box<$Script>,)*
            /// The catalogue of applications, where it is not said as its entries say it.
            #[serde(default)]
            pub(super) catalogue: $crate::http::texts::said::Catalogue,
            /// What happened, by the kind of the event, where it is not said as [`Kind`](crate::event::Kind)
            /// says it.
            #[serde(default)]
            pub(super) events: std::collections::BTreeMap<String, $crate::http::texts::phrase::Phrase>,
            /// Why no command lets a request pass, by the name of what it takes instead.
            #[serde(default)]
            pub(super) no_command: std::collections::BTreeMap<String, String>,
            /// What an operator should know of a client, by the name of the kind of the note, where it is
            /// not said as that says it.
            #[serde(default)]
            pub(super) notes: std::collections::BTreeMap<String, $crate::http::texts::phrase::Phrase>,
            /// The sentences of refusals, where they are not those of `error`: those for people by
            /// [`sentence_name`](crate::error::Refusal::sentence_name), precise ones by their name.
            #[serde(default)]
            pub(super) refusals: std::collections::BTreeMap<String, $crate::http::texts::phrase::Phrase>,
            /// What can be done about a refusal, by its name. Commands in it are those of the table.
            #[serde(default)]
            pub(super) remedies: std::collections::BTreeMap<String, String>,
            /// The descriptions of the scopes that every installation knows.
            pub(super) scopes: std::collections::BTreeMap<String, $crate::http::texts::phrase::Phrase>,
        }

        $($crate::http::texts::declare::section! { $Section $texts })*

        $(
            #[derive(serde::Deserialize, serde::Serialize)]
            #[serde(deny_unknown_fields)]
            pub(in crate::http) struct $Script {
                $($text: $crate::http::texts::phrase::Phrase,)*
            }
        )*

        #[cfg(test)]
        impl Texts {
            /// Every text of a page or a script, with its name and the values that it is given.
            pub(super) fn declared(&self) -> Vec<$crate::http::texts::sections::Declared<'_>> {
                let mut all = self.admin.declared("admin");
                all.extend(self.beside.declared("beside"));
                $(all.extend(self.$section.declared(stringify!($section)));)*
                $($(all.push((
                    concat!(stringify!($script), ".", stringify!($text)).to_owned(),
                    &self.$script.$text,
                    [$($(stringify!($given)),+)?].as_slice(),
                ));)*)*
                all
            }
        }
    };
}

pub(super) use {section, sections, texts};
