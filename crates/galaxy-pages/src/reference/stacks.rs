//! A page for every stack and every resource in it: its purpose, its cost, what is lost when it is
//! deleted.

use askama::Template;

use super::facts::{Installer, Resource, Stack};
use super::{Section, Words};
use crate::page::Page;
use crate::{Input, Mistake};

#[derive(Template)]
#[template(path = "reference/stack.md", escape = "none")]
struct StackPage<'a> {
    stack: &'a Stack,
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "reference/resource.md", escape = "none")]
struct ResourcePage<'a> {
    stack: &'a Stack,
    resource: &'a Resource,
    words: &'a Words,
}

impl Stack {
    /// Its name behind the galaxy's.
    fn shown(&self) -> String {
        if self.name == "site" { "site-SITE".into() } else { self.name.clone() }
    }

    /// The same as it is called in a galaxy.
    fn example(&self) -> &str {
        if self.name == "site" { "site-duckgalaxy" } else { &self.name }
    }

    fn region_flag(&self) -> &str {
        if self.region == "home" { "\"$REGION\"" } else { &self.region }
    }

    fn minutes(&self) -> u64 {
        self.seconds.div_ceil(60)
    }
}

impl Resource {
    fn slug(&self) -> String {
        let mut slug = String::new();
        let mut before = '-';
        for c in self.id.chars() {
            if c.is_ascii_uppercase() && !before.is_ascii_uppercase() && before != '-' {
                slug.push('-');
            }
            slug.extend(c.to_lowercase());
            before = c;
        }
        slug
    }

    /// What happens to it when its stack is deleted.
    fn at_the_end(&self) -> &'static str {
        match self.deletion.as_str() {
            "Retain" | "RetainExceptOnCreate" => {
                "CloudFormation leaves it where it is; `spaceduck teardown` removes it, after you \
                 have typed the galaxy’s name"
            }
            _ => "it goes with its stack",
        }
    }
}

/// Dollars and cents.
fn dollars(cents: u32) -> String {
    format!("${}.{:02}", cents / 100, cents % 100)
}

/// All stacks and their resources.
pub(super) fn stacks(input: &Input, facts: &Installer, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    let mut section = Section::open(input, ("duckcontrol", "/stacks/"), "stacks", mistakes);
    for stack in &facts.stacks {
        let Some(words) = section.words(&stack.name) else { continue };
        let text = section.fill(&StackPage { stack, words: &words });
        let words = Words { nav: Some(format!("`{}`", stack.shown())), ..words };
        section.add(&stack.name, &format!("The stack `NAME-{}`", stack.shown()), &words, text);
        for resource in &stack.resources {
            let Some(words) = section.words(&format!("{}.{}", stack.name, resource.id)) else {
                continue;
            };
            let text = section.fill(&ResourcePage { stack, resource, words: &words });
            section.part_of_last(&resource.slug(), &format!("`{}`", resource.id), &words, text);
        }
    }
    section.close()
}
