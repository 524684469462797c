//! XML as it comes from AWS: a tree of names and texts, without name spaces and attributes.

use aws_smithy_runtime_api::box_error::BoxError;

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    name: String,
    text: String,
    children: Vec<Self>,
}

impl Element {
    /// Reads an answer. Its outermost element says that it is one: a page of a network in between
    /// is none.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, BoxError> {
        let document = roxmltree::Document::parse(std::str::from_utf8(body)?)?;
        let root = Self::of(document.root_element());
        if root.name.ends_with("Response") {
            return Ok(root);
        }
        Err(format!("<{}> is no answer of a service", root.name).into())
    }

    fn of(node: roxmltree::Node<'_, '_>) -> Self {
        let texts = node.children().filter(roxmltree::Node::is_text);
        Self {
            name: node.tag_name().name().to_owned(),
            text: texts.filter_map(|text| text.text()).collect(),
            children: node.children().filter(roxmltree::Node::is_element).map(Self::of).collect(),
        }
    }

    /// The first element of this name within this one.
    #[must_use]
    pub fn at(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first element of this name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.at(name).map(|child| child.text.as_str())
    }

    /// The elements of a list, which are within an element of this name.
    pub fn each(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.at(name).into_iter().flat_map(|list| &list.children)
    }

    /// Its own text.
    #[must_use]
    pub fn own(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn an_answer_is_read_and_a_page_is_refused() {
        let text = b"<?xml version=\"1.0\"?><AResponse xmlns=\"x\"><AResult><L><member>1</member>\
                     <member>&lt;2&gt;</member></L><M/></AResult></AResponse>";
        let answer = Element::parse(text).expect("an answer");
        let result = answer.at("AResult").expect("a result");
        let told: Vec<&str> = result.each("L").map(Element::own).collect();
        assert_eq!(told, ["1", "<2>"]);
        assert_eq!((result.text("M"), result.text("N")), (Some(""), None));
        assert_eq!(result.each("N").count(), 0);
        for page in [&b"<html></html>"[..], b"<AResponse>", b"", b"\xff", b"{}"] {
            assert!(Element::parse(page).is_err(), "{page:?}");
        }
    }
}
