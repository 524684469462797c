//! Rust files as the rules of the house see them: without their tests.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::LazyLock;

use proc_macro2::TokenStream;
use syn::visit::{self, Visit};
use syn::{Attribute, FnArg, Ident, ItemMod, ItemUse, Macro, Signature, Type, UseTree};

use crate::tree::{files, root};

/// A file.
pub(crate) struct Source {
    /// Its path in the repository.
    pub(crate) place: String,
    pub(crate) text: String,
    /// What it has outside its test modules, wherever those are.
    pub(crate) code: Code,
}

/// Every Rust file of the repository; parsing them all takes some seconds.
pub(crate) static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let folders = ["src", "crates", "xtask", "tests"];
    let paths = folders.iter().flat_map(|folder| files(&root().join(folder), "rs"));
    paths.map(|path| Source::read(&path)).collect()
});

impl Source {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let place = path.strip_prefix(root()).unwrap().display().to_string();
        Self::parse(place, text)
    }

    pub(crate) fn parse(place: String, text: String) -> Self {
        let tree = syn::parse_file(&text);
        assert!(tree.is_ok(), "{place} can't be parsed");
        let tree = tree.unwrap();
        let mut code = Code { depth: depth(&place), ..Code::default() };
        code.visit_file(&tree);
        Self { place, text, code }
    }

    /// Whether all of it is tests, or a contract, which is a list of cases.
    pub(crate) fn is_test(&self) -> bool {
        self.place.contains("tests") || self.place.contains("/contract")
    }

    /// Its lines outside its test modules, with their numbers.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_code = |number: usize| !self.code.tests.iter().any(|test| test.contains(&number));
        (1..).zip(self.text.lines()).filter(move |(number, _)| is_code(*number))
    }
}

/// How many modules deep a file is: `lib.rs` 0, `plan.rs` 1, `plan/policy.rs` 2.
fn depth(place: &str) -> usize {
    let inside = place.rsplit("src/").next().unwrap_or_default();
    let names = inside.split('/').map(|name| name.trim_end_matches(".rs"));
    names.filter(|name| !["lib", "main", "mod"].contains(name)).count()
}

/// A function's name, its line, and how many values it takes.
pub(crate) struct Taken {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) values: usize,
}

/// What a file has outside its tests.
#[derive(Default)]
pub(crate) struct Code {
    /// The modules of the crate that it names, by their first part: `model` in
    /// `crate::model::Stack`, in `use crate::{model, plan}` and in `super::super::model`.
    pub(crate) rooms: BTreeSet<String>,
    pub(crate) functions: Vec<Taken>,
    /// The lints that it switches off.
    pub(crate) exempt: Vec<String>,
    /// Lines of its test modules.
    tests: Vec<RangeInclusive<usize>>,
    depth: usize,
}

impl Code {
    /// How many of a path's first parts lead to the crate's root.
    fn steps_to_root(&self, parts: &[&Ident]) -> Option<usize> {
        if parts.first().is_some_and(|first| *first == "crate") {
            return Some(1);
        }
        let own = usize::from(parts.first().is_some_and(|first| *first == "self"));
        let up = parts.iter().skip(own).take_while(|part| **part == "super").count();
        (up > 0 && up == self.depth).then_some(own + up)
    }

    fn path(&mut self, parts: &[&Ident]) {
        if let Some(room) = self.steps_to_root(parts).and_then(|steps| parts.get(steps)) {
            self.room(room);
        }
    }

    fn room(&mut self, name: &Ident) {
        let name = name.to_string();
        if name.starts_with(|c: char| c.is_ascii_lowercase()) && name != "self" {
            self.rooms.insert(name);
        }
    }

    fn imported<'a>(&mut self, tree: &'a UseTree, before: &mut Vec<&'a Ident>) {
        match tree {
            UseTree::Path(path) => {
                before.push(&path.ident);
                self.imported(&path.tree, before);
                before.pop();
            }
            UseTree::Name(name) => self.path(&[&before[..], &[&name.ident]].concat()),
            UseTree::Rename(name) => self.path(&[&before[..], &[&name.ident]].concat()),
            UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.imported(item, before));
            }
            UseTree::Glob(_) => self.path(before),
        }
    }

    /// Macros are not parsed: their words are looked through.
    fn words(&mut self, tokens: &TokenStream) {
        let text = tokens.to_string().replace(' ', "");
        for rest in text.split("crate::").skip(1) {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            let word = &rest[..end.unwrap_or(rest.len())];
            if let Ok(name) = syn::parse_str::<Ident>(word) {
                self.room(&name);
            }
        }
    }
}

/// `#[cfg(test)]` or `#[cfg(all(test, …))]`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let condition = list.tokens.to_string().replace(' ', "");
        list.path.is_ident("cfg") && (condition == "test" || condition.starts_with("all(test,"))
    })
}

/// A tuple counts as the values in it: five parameters are not ten values in five tuples.
fn values(kind: &Type) -> usize {
    match kind {
        Type::Tuple(tuple) => tuple.elems.iter().map(values).sum(),
        Type::Reference(reference) => values(&reference.elem),
        Type::Paren(paren) => values(&paren.elem),
        _ => 1,
    }
}

impl<'a> Visit<'a> for Code {
    fn visit_item_mod(&mut self, module: &'a ItemMod) {
        let Some((braces, _)) = &module.content else { return };
        if is_for_tests(&module.attrs) {
            let start = module.attrs.first().map_or(module.mod_token.span, |a| a.pound_token.span);
            self.tests.push(start.start().line..=braces.span.close().end().line);
            return;
        }
        self.depth += 1;
        visit::visit_item_mod(self, module);
        self.depth -= 1;
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        self.imported(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.path(&path.segments.iter().map(|part| &part.ident).collect::<Vec<_>>());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'a Macro) {
        self.words(&call.tokens);
        visit::visit_macro(self, call);
    }

    fn visit_signature(&mut self, signature: &'a Signature) {
        let taken = signature.inputs.iter().map(|input| match input {
            FnArg::Typed(input) => values(&input.ty),
            FnArg::Receiver(_) => 1,
        });
        self.functions.push(Taken {
            name: signature.ident.to_string(),
            line: signature.ident.span().start().line,
            values: taken.sum(),
        });
        visit::visit_signature(self, signature);
    }

    fn visit_attribute(&mut self, attribute: &'a Attribute) {
        if let syn::Meta::List(list) = &attribute.meta
            && (list.path.is_ident("allow") || list.path.is_ident("expect"))
        {
            self.exempt.push(list.tokens.to_string().replace(' ', ""));
        }
    }
}
