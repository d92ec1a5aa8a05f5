//! Schemas of messages from what `proto` names: .proto files, folders of them, and descriptor sets.
//!
//! At which folders imports begin is found out from what files import and where that is. The compiler
//! is protox.

use crate::StoreError;
use protox::Compiler;
use rehearsal_wire::Schemas;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// How many folders around a file are searched for what it imports.
const MAX_ABOVE: usize = 8;
/// How deep folders are searched.
const MAX_DEPTH: usize = 16;
/// How many files are compiled.
const MAX_FILES: usize = 10_000;

/// A folder and the files in it that are compiled.
type Named = (PathBuf, Vec<PathBuf>);

/// The descriptor set of everything that the paths name, which are relative to `root`; empty when they
/// name nothing.
///
/// # Errors
/// When a path does not exist, or what it names has a mistake.
pub(crate) fn compile(root: &Path, paths: &[String]) -> Result<Vec<u8>, StoreError> {
    let mut sets = Vec::new();
    let mut named = Vec::new();
    for path in paths {
        let path = root.join(path);
        let is_folder = path.is_dir();
        if is_folder || path.extension() == Some(OsStr::new("proto")) {
            let mut files = Vec::new();
            match is_folder {
                true => find(&path, 0, &mut files)?,
                false => files.push(path.clone()),
            }
            if files.is_empty() {
                return Err(StoreError::whole_file(&path, "it has no .proto files"));
            }
            let folder = if is_folder { path.as_path() } else { path.parent().unwrap_or(root) };
            named.push((folder.to_owned(), files));
        } else {
            let bytes = fs::read(&path).map_err(StoreError::io("read", &path))?;
            Schemas::read(&bytes).map_err(|problem| StoreError::whole_file(&path, problem))?;
            sets.extend(bytes);
        }
    }
    if !named.is_empty() {
        sets.extend(compiled(&named)?);
    }
    Schemas::read(&sets).map_err(|problem| StoreError::whole_file(root, problem))?;
    Ok(sets)
}

/// The .proto files in a folder, sorted.
fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), StoreError> {
    let entries = fs::read_dir(folder).map_err(StoreError::io("list", folder))?;
    let entries: Result<Vec<_>, _> = entries.collect();
    let mut paths: Vec<PathBuf> =
        entries.map_err(StoreError::io("list", folder))?.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && depth < MAX_DEPTH {
            find(&path, depth + 1, files)?;
        } else if path.extension() == Some(OsStr::new("proto")) {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(StoreError::whole_file(folder, "it has more than 10000 .proto files"));
        }
    }
    Ok(())
}

/// The descriptor set of files, with what they import.
fn compiled(named: &[Named]) -> Result<Vec<u8>, StoreError> {
    let begins = begins(named)?;
    let mut includes: Vec<&Path> = Vec::new();
    for (folder, files) in named {
        for file in files {
            let begin = begins.iter().find(|begin| file.starts_with(begin));
            includes.push(begin.map_or(folder, |begin| begin));
        }
    }
    includes.extend(begins.iter().map(PathBuf::as_path));
    // Of folders in one another the outer one gives a file its name, so that it has only one.
    includes.sort();
    includes.dedup();
    attempt(&includes, named).map_err(|error| {
        let folder = named.first().map_or(Path::new(""), |(folder, _)| folder);
        let path = error.file().map_or_else(|| folder.to_owned(), PathBuf::from);
        StoreError::whole_file(&path, error.to_string())
    })
}

/// The folders at which the imports of files begin, outer ones first.
fn begins(named: &[Named]) -> Result<BTreeSet<PathBuf>, StoreError> {
    let files = || named.iter().flat_map(|(_, files)| files);
    let mut begins = BTreeSet::new();
    for file in files() {
        let text = fs::read(file).map_err(StoreError::io("read", file))?;
        let text = String::from_utf8_lossy(&text);
        for import in text.lines().filter_map(imported) {
            let around = file.ancestors().skip(1).take(MAX_ABOVE);
            let around = around.filter(|folder| folder.join(import).is_file());
            let levels = Path::new(import).components().count();
            let below = files().filter(|other| other.ends_with(import));
            let below = below.filter_map(|other| other.ancestors().nth(levels));
            begins.extend(around.chain(below).next().map(Path::to_owned));
        }
    }
    Ok(begins)
}

/// The file that a line imports.
fn imported(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("import")?;
    rest.split(['"', '\'']).nth(1).filter(|file| !file.is_empty())
}

fn attempt(includes: &[&Path], named: &[Named]) -> Result<Vec<u8>, protox::Error> {
    let mut compiler = Compiler::new(includes)?;
    compiler.include_imports(true).include_source_info(false);
    compiler.open_files(named.iter().flat_map(|(_, files)| files))?;
    Ok(compiler.encode_file_descriptor_set())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAY: &str = "syntax = \"proto3\";\npackage shop;\nimport \"common/money.proto\";\n\
        import \"google/protobuf/timestamp.proto\";\n\
        message Charge { common.Money amount = 1; google.protobuf.Timestamp at = 2; }\n\
        service Pay { rpc Charge(shop.Charge) returns (shop.Charge); }\n";
    const MONEY: &str =
        "syntax = \"proto3\";\npackage common;\nmessage Money { int64 units = 1; }\n";

    fn project() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("api/shop/pay.proto", PAY), ("api/common/money.proto", MONEY)] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn imports_are_found_from_folders_files_and_sets_alike() {
        let folder = project();
        let root = folder.path();
        let of = |paths: &[&str]| {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            compile(root, &paths)
        };
        let set = of(&["api"]).unwrap();
        assert!(!set.is_empty());
        for paths in [&["."][..], &["api/shop/pay.proto"], &["api/shop", "api/common"]] {
            assert!(of(paths).is_ok(), "{paths:?}");
        }
        fs::write(root.join("all.binpb"), &set).unwrap();
        assert_eq!(of(&["all.binpb"]).unwrap(), set);
        assert_eq!(of(&[]).unwrap(), b"");
    }

    #[test]
    fn a_mistake_is_named() {
        let folder = project();
        let root = folder.path();
        let fails = |path: &str| compile(root, &[path.to_owned()]).unwrap_err().to_string();
        fs::write(root.join("bad.proto"), "syntax = \"proto3\";\nmessage {").unwrap();
        assert!(fails("bad.proto").contains("bad.proto"), "{}", fails("bad.proto"));
        assert!(fails("missing.binpb").contains("missing.binpb"));
        fs::create_dir(root.join("empty")).unwrap();
        assert!(fails("empty").contains("no .proto files"));
        fs::write(root.join("set.binpb"), b"\xff").unwrap();
        assert!(fails("set.binpb").contains("no FileDescriptorSet"));
    }
}
