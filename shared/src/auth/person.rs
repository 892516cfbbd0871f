//! People who are let in, and what they may do.

use aws_sdk_dynamodb::types::AttributeValue;
use figures::ids::ProjectId;
use figures::table::store::{Item, StoreError, read_text, text};
use serde::{Deserialize, Serialize};

use super::secret::id_of;

/// The attribute with what a person is called by.
pub(crate) const LABEL: &str = "label";
const ROLE: &str = "role";
const PROJECTS: &str = "projects";

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks at figures.
    Viewer,
    /// Manages projects, keys and people, too.
    Admin,
}

impl Role {
    /// Its name in the table and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Admin => "admin",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Role::Viewer, Role::Admin].into_iter().find(|role| role.name() == name)
    }
}

/// Which projects somebody may see. In JSON a list of identifiers, or `null` for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projects {
    /// All there are and will be.
    All,
    /// These.
    Only(Vec<ProjectId>),
}

impl Projects {
    /// Whether a project is among them.
    pub fn include(&self, project: &ProjectId) -> bool {
        match self {
            Projects::All => true,
            Projects::Only(projects) => projects.contains(project),
        }
    }

    /// Whether all of others are among them.
    pub fn include_all(&self, others: &Projects) -> bool {
        match (self, others) {
            (Projects::All, _) => true,
            (Projects::Only(_), Projects::All) => false,
            (Projects::Only(_), Projects::Only(others)) => others.iter().all(|project| self.include(project)),
        }
    }
}

impl Serialize for Projects {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Projects::All => serializer.serialize_none(),
            Projects::Only(projects) => projects.serialize(serializer),
        }
    }
}

/// What somebody is let in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// What they are called by.
    pub label: String,
    /// What they may do.
    pub role: Role,
    /// With which projects.
    pub projects: Projects,
}

impl Access {
    /// The attributes of an item that grants it.
    pub(crate) fn attributes(&self) -> Item {
        let projects = match &self.projects {
            Projects::All => AttributeValue::Null(true),
            Projects::Only(projects) => {
                AttributeValue::L(projects.iter().map(|project| text(project.as_str())).collect())
            }
        };
        Item::from([
            (LABEL.to_owned(), text(&self.label)),
            (ROLE.to_owned(), text(self.role.name())),
            (PROJECTS.to_owned(), projects),
        ])
    }

    /// Reads an item that grants it. What can't be read grants nothing.
    pub(crate) fn read(item: &Item) -> Result<Self, StoreError> {
        let corrupt =
            |cause: &str| StoreError::Corrupt { key: "a person's access".to_owned(), cause: cause.to_owned() };
        let project = |value: &AttributeValue| value.as_s().ok()?.parse().ok();
        let projects = match item.get(PROJECTS) {
            Some(AttributeValue::Null(true)) => Some(Projects::All),
            Some(AttributeValue::L(listed)) => listed.iter().map(project).collect::<Option<_>>().map(Projects::Only),
            _ => None,
        };
        Ok(Access {
            label: read_text(item, LABEL)?.to_owned(),
            role: Role::from_name(read_text(item, ROLE)?).ok_or_else(|| corrupt("an unknown role"))?,
            projects: projects.ok_or_else(|| corrupt("no projects"))?,
        })
    }
}

/// Who is signed in. Each cookie is a person of its own, so that a lost laptop is shut out alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Identifies them: the beginning of their cookie's SHA-256.
    pub id: PersonId,
    /// What they may do.
    #[serde(flatten)]
    pub access: Access,
}

/// The beginning of the SHA-256 of a person's cookie.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct PersonId(String);

impl PersonId {
    pub(crate) fn of(sha256: &str) -> Self {
        PersonId(id_of(sha256).to_owned())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(projects: &[&str]) -> Projects {
        Projects::Only(projects.iter().filter_map(|project| project.parse().ok()).collect())
    }

    #[test]
    fn nobody_includes_more_than_they_have() {
        let (one, two) = (only(&["shop"]), only(&["shop", "blog"]));
        assert!(Projects::All.include_all(&two) && two.include_all(&one) && one.include_all(&only(&[])));
        assert!(!one.include_all(&two) && !two.include_all(&Projects::All) && !only(&[]).include_all(&one));
    }

    #[test]
    fn access_reads_back_and_what_is_unreadable_grants_nothing() {
        for projects in [Projects::All, only(&["shop", "blog"]), only(&[])] {
            let access = Access { label: "ana".to_owned(), role: Role::Viewer, projects };
            let stored = access.attributes();
            assert_eq!(Access::read(&stored).ok(), Some(access));
            for name in [LABEL, ROLE, PROJECTS] {
                let mut damaged = stored.clone();
                damaged.insert(name.to_owned(), AttributeValue::L(vec![AttributeValue::Bool(true)]));
                assert!(Access::read(&damaged).is_err(), "{name}");
                damaged.remove(name);
                assert!(Access::read(&damaged).is_err(), "{name}");
            }
        }
    }
}
