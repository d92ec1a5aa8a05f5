//! Sets of descriptors as the files that they are made of: taken apart and joined, not understood.

use super::Schemas;
use super::descriptor::Parsed;
use super::elements::{self, Element, Wire};

/// A `FileDescriptorProto`.
pub(crate) struct File<'a> {
    pub(crate) name: &'a str,
    /// The names of the files that it imports.
    pub(crate) imports: Vec<&'a str>,
}

impl<'a> File<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        let file = Parsed::of(bytes)?;
        let imports = file.all(3).map(std::str::from_utf8).collect::<Result<_, _>>().ok()?;
        Some(File { name: file.text(1)?, imports })
    }

    /// The set of files, in this order.
    pub(crate) fn set<'f>(files: impl IntoIterator<Item = &'f [u8]>) -> Vec<u8> {
        let mut out = Vec::new();
        for file in files {
            elements::write(Element { number: 1, wire: Wire::Length(file) }, &mut out);
        }
        out
    }
}

impl Schemas {
    /// A `FileDescriptorSet` with those files of another one that it does not have by name. Of a file that
    /// both have, in two states perhaps, the first counts.
    ///
    /// # Errors
    /// When either is no such set, or both together have a gap; a fragment that says why.
    pub fn joined(known: &[u8], more: &[u8]) -> Result<Vec<u8>, String> {
        let no_set = "it is no FileDescriptorSet";
        let (first, second) = (Parsed::of(known).ok_or(no_set)?, Parsed::of(more).ok_or(no_set)?);
        let names: Option<Vec<&str>> =
            first.all(1).map(|file| Some(File::of(file)?.name)).collect();
        let names = names.ok_or(no_set)?;
        let mut new = Vec::new();
        for file in second.all(1) {
            if !names.contains(&File::of(file).ok_or(no_set)?.name) {
                new.push(file);
            }
        }
        let set = File::set(first.all(1).chain(new));
        Schemas::read(&set).map(|_| set)
    }
}
