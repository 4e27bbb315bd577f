//! The macros that declare the texts of the pages.
//!
//! The texts of a section are a list in the order of their names. A method has the place of its text in
//! it, and one function reads every section by its names: hundreds of texts are hundreds of entries, and
//! no code of their own.

/// A section: its texts, and a method for each of them.
macro_rules! section {
    ($Section:ident { $($name:ident $(($($value:ident),+))?,)* }) => {
        pub(in crate::http) struct $Section($crate::http::texts::phrase::Phrases);

        const _: () = {
            /// The places of the texts.
            #[expect(non_camel_case_types, reason = "the names of the texts")]
            enum At {
                $($name,)*
            }

            impl $Section {
                fn read_section(file: &mut $crate::http::texts::reader::Reader<'_>, section: &str) -> Self {
                    Self(file.section(section, &[$(stringify!($name)),*]))
                }

                $(
                    pub(in crate::http) fn $name(
                        &self, $($($value: impl $crate::http::texts::value::ToValue),+)?
                    ) -> $crate::http::texts::phrase::Filled<'_> {
                        let values = vec![$($((stringify!($value), $value.to_value())),+)?];
                        self.0.filled(At::$name as usize, values)
                    }
                )*

                /// Every text, with its name and the values that it is given.
                #[cfg(test)]
                fn declared(&self, section: &str) -> Vec<$crate::http::texts::sections::Declared<'_>> {
                    vec![$((
                        format!("{section}.{}", stringify!($name)),
                        self.0.at(At::$name as usize),
                        [$($(stringify!($value)),+)?].as_slice(),
                    ),)*]
                }
            }
        };
    };
}

/// A group of sections: a struct with a field for each.
macro_rules! sections {
    ($(#[$doc:meta])* $Group:ident { $($section:ident: $Section:ident $texts:tt)* }) => {
        $(#[$doc])*
        pub(in crate::http) struct $Group {
            $(pub(in crate::http) $section: $Section,)*
        }

        impl $Group {
            pub(super) fn read(mut file: $crate::http::texts::reader::Reader<'_>) -> Self {
                let group = Self { $($section: $Section::read_section(&mut file, stringify!($section)),)* };
                file.end();
                group
            }

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
        scripts { $($script:ident {
            $($text:ident $(($($given:ident),+))?,)*
        })* }
    ) => {
        /// The texts of a language.
        pub(in crate::http) struct Texts {
            /// Those of the pages of the administration.
            pub(in crate::http) admin: $crate::http::texts::administration::Administration,
            /// Those beside the things of a page.
            pub(in crate::http) beside: $crate::http::texts::beside::Beside,
            $(pub(in crate::http) $section: $Section,)*
            $(pub(in crate::http) $script: $crate::http::texts::phrase::Script,)*
            /// The catalogue of applications, where it is not said as its entries say it.
            pub(super) catalogue: $crate::http::texts::said::Catalogue,
            /// What happened, by the kind of the event, where it is not said as [`Kind`](crate::event::Kind)
            /// says it.
            pub(super) events: std::collections::BTreeMap<String, $crate::http::texts::phrase::Phrase>,
            /// Why no command lets a request pass, by the name of what it takes instead.
            pub(super) no_command: std::collections::BTreeMap<String, String>,
            /// What an operator should know of a client, by the name of the kind of the note, where it is
            /// not said as that says it.
            pub(super) notes: std::collections::BTreeMap<String, $crate::http::texts::phrase::Phrase>,
            /// The sentences of refusals, where they are not those of `error`: those for people by
            /// [`sentence_name`](crate::error::Refusal::sentence_name), precise ones by their name.
            pub(super) refusals: std::collections::BTreeMap<String, $crate::http::texts::phrase::Phrase>,
            /// What can be done about a refusal, by its name. Commands in it are those of the table.
            pub(super) remedies: std::collections::BTreeMap<String, String>,
            /// The descriptions of the scopes that every installation knows.
            pub(super) scopes: std::collections::BTreeMap<String, $crate::http::texts::phrase::Phrase>,
        }

        impl Texts {
            pub(super) fn read(mut file: $crate::http::texts::reader::Reader<'_>) -> Self {
                let texts = Self {
                    admin: $crate::http::texts::administration::Administration::read(file.table("admin")),
                    beside: $crate::http::texts::beside::Beside::read(file.table("beside")),
                    $($section: $Section::read_section(&mut file, stringify!($section)),)*
                    $($script: file.script(stringify!($script), &[$(stringify!($text)),*]),)*
                    catalogue: file.rest("catalogue"),
                    events: file.phrases("events"),
                    no_command: file.rest("no_command"),
                    notes: file.phrases("notes"),
                    refusals: file.phrases("refusals"),
                    remedies: file.rest("remedies"),
                    scopes: file.phrases("scopes"),
                };
                file.end();
                texts
            }

            /// Every text of a page or a script, with its name and the values that it is given.
            #[cfg(test)]
            pub(super) fn declared(&self) -> Vec<$crate::http::texts::sections::Declared<'_>> {
                let mut all = self.admin.declared("admin");
                all.extend(self.beside.declared("beside"));
                $(all.extend(self.$section.declared(stringify!($section)));)*
                $(all.extend(self.$script.declared(
                    stringify!($script), &[$([$($(stringify!($given)),+)?].as_slice()),*],
                ));)*
                all
            }
        }

        $($crate::http::texts::declare::section! { $Section $texts })*
    };
}

pub(super) use {section, sections, texts};
