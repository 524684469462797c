//! What pages say of the five sites.

/// How one of the five sites introduces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteHead {
    /// In folders, buckets and host names.
    pub name: &'static str,
    /// In its header.
    pub title: &'static str,
    /// Below the title.
    pub tagline: &'static str,
    /// In the list of the five.
    pub label: &'static str,
    /// What one finds there.
    pub about: &'static str,
}

/// All five, in the order of the header.
pub const SITES: [SiteHead; 5] = [
    SiteHead {
        name: "mightyspaceduck",
        title: "Mighty Space Duck",
        tagline: "run your own galaxy",
        label: "Project",
        about: "The open-source project: what it is, how to host it yourself, questions, words.",
    },
    SiteHead {
        name: "duckgalaxy",
        title: "Duck Galaxy",
        tagline: "the Beak for developers",
        label: "Developers",
        about: "The API: every call, every error, certificates, events, changes, legal texts.",
    },
    SiteHead {
        name: "duckcontrol",
        title: "Duck Control",
        tagline: "mission control",
        label: "Mission Control",
        about: "Live counters, and what operators need: runbooks, commands, stacks, drift.",
    },
    SiteHead {
        name: "spaceduckling",
        title: "Spaceduckling",
        tagline: "hatch a duckling",
        label: "Hatch",
        about: "For people: hatch a duckling, keep its key, check a certificate.",
    },
    SiteHead {
        name: "spaceduck-bot",
        title: "Spaceduck Bot",
        tagline: "pecks and bonds",
        label: "Agents",
        about: "For agents: pecks, bonds, trust tiers, keys, the SDK and skills.",
    },
];

/// The site of that name.
pub(crate) fn find(name: &str) -> Option<&'static SiteHead> {
    SITES.iter().find(|site| site.name == name)
}
