//! Tokens to a syntax tree, by operator precedence.

use super::error::{ExprError, Span};
use super::token::{Token, tokenize};

/// Longest text, in bytes.
pub const MAX_TEXT: usize = 16_384;
/// Deepest nesting of a tree, and of the recursion over it.
pub const MAX_DEPTH: u32 = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum BinaryOp {
    Or,
    And,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
}

impl BinaryOp {
    /// Binding power; higher binds tighter.
    pub(crate) fn power(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual | Self::Equal | Self::NotEqual => 4,
            Self::Add | Self::Sub => 5,
            Self::Mul | Self::Div => 6,
            Self::Min | Self::Max => 9,
        }
    }
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

pub(crate) const NOT_POWER: u8 = 3;
pub(crate) const NEGATE_POWER: u8 = 7;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) span: Span,
    depth: u32,
}

#[derive(Debug, Clone)]
pub(crate) enum NodeKind {
    Number(f64),
    Bool(bool),
    Text(String),
    Name(String),
    Negate(Box<Node>),
    Not(Box<Node>),
    Binary(BinaryOp, Box<Node>, Box<Node>),
    Call { name: String, name_span: Span, args: Vec<Node> },
    Field { base: Box<Node>, name: String, name_span: Span },
    History { base: Box<Node>, offset: Box<Node> },
}

pub(crate) fn parse(text: &str) -> Result<Node, ExprError> {
    let mut parser = Parser::new(text)?;
    let node = parser.expression(0, 0)?;
    parser.expect_end()?;
    Ok(node)
}

/// Comma-separated expressions, as in a study set. A trailing comma is allowed; an empty text is an empty list.
pub(crate) fn parse_list(text: &str) -> Result<Vec<Node>, ExprError> {
    let mut parser = Parser::new(text)?;
    let mut nodes = Vec::new();
    while *parser.peek() != Token::End {
        nodes.push(parser.expression(0, 0)?);
        if *parser.peek() != Token::Comma {
            break;
        }
        parser.advance();
    }
    parser.expect_end()?;
    Ok(nodes)
}

struct Parser {
    tokens: Vec<(Token, Span)>,
    at: usize,
}

impl Parser {
    fn new(text: &str) -> Result<Self, ExprError> {
        if text.len() > MAX_TEXT {
            let end = super::error::floor_boundary(text, MAX_TEXT);
            let message = format!("too long: {} bytes, at most {MAX_TEXT}", text.len());
            return Err(ExprError::new(Span { start: end, end: text.len() }, message));
        }
        Ok(Self { tokens: tokenize(text)?, at: 0 })
    }
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }
    fn span(&self) -> Span {
        self.tokens[self.at].1
    }
    fn advance(&mut self) -> Span {
        let span = self.span();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        span
    }
    fn expect(&mut self, token: &Token, what: &str) -> Result<Span, ExprError> {
        if self.peek() == token {
            return Ok(self.advance());
        }
        Err(ExprError::new(self.span(), format!("expected {what}{}", self.but_found())))
    }
    fn but_found(&self) -> &'static str {
        if *self.peek() == Token::End { ", but the text ends here" } else { "" }
    }
    fn expect_end(&self) -> Result<(), ExprError> {
        match self.peek() {
            Token::End => Ok(()),
            Token::Close | Token::CloseBracket => {
                Err(ExprError::new(self.span(), "nothing is open that this could close"))
            }
            _ => Err(ExprError::new(self.span(), "expected an operator or the end")),
        }
    }

    fn node(kind: NodeKind, span: Span) -> Result<Node, ExprError> {
        let depth = 1 + match &kind {
            NodeKind::Negate(a) | NodeKind::Not(a) | NodeKind::Field { base: a, .. } => a.depth,
            NodeKind::Binary(_, a, b) | NodeKind::History { base: a, offset: b } => a.depth.max(b.depth),
            NodeKind::Call { args, .. } => args.iter().map(|arg| arg.depth).max().unwrap_or(0),
            NodeKind::Number(_) | NodeKind::Bool(_) | NodeKind::Text(_) | NodeKind::Name(_) => 0,
        };
        if depth > MAX_DEPTH { Err(too_deep(span)) } else { Ok(Node { kind, span, depth }) }
    }

    /// `power` is the weakest operator taken; `depth` counts open recursion.
    fn expression(&mut self, power: u8, depth: u32) -> Result<Node, ExprError> {
        if depth > MAX_DEPTH {
            return Err(too_deep(self.span()));
        }
        let mut left = self.prefix(depth)?;
        loop {
            if matches!(self.peek(), Token::OpenBracket | Token::Dot) {
                left = self.postfix(left, depth)?;
                continue;
            }
            let Some(op) = self.binary_op() else { return Ok(left) };
            if op.power() <= power {
                return Ok(left);
            }
            let op_span = self.advance();
            let right = self.expression(op.power(), depth + 1)?;
            // `a < b < c` compares a bool with a number; say so where it happens.
            if op.power() == BinaryOp::Less.power() && self.binary_op().is_some_and(|next| next.power() == op.power()) {
                return Err(
                    ExprError::new(self.span(), "comparisons cannot be chained").hint("write `a < b and b < c`")
                );
            }
            let span = left.span.to(op_span).to(right.span);
            left = Self::node(NodeKind::Binary(op, Box::new(left), Box::new(right)), span)?;
        }
    }

    fn binary_op(&self) -> Option<BinaryOp> {
        Some(match self.peek() {
            Token::Or => BinaryOp::Or,
            Token::And => BinaryOp::And,
            Token::Less => BinaryOp::Less,
            Token::LessEqual => BinaryOp::LessEqual,
            Token::Greater => BinaryOp::Greater,
            Token::GreaterEqual => BinaryOp::GreaterEqual,
            Token::Equal => BinaryOp::Equal,
            Token::NotEqual => BinaryOp::NotEqual,
            Token::Plus => BinaryOp::Add,
            Token::Minus => BinaryOp::Sub,
            Token::Star => BinaryOp::Mul,
            Token::Slash => BinaryOp::Div,
            _ => return None,
        })
    }

    fn prefix(&mut self, depth: u32) -> Result<Node, ExprError> {
        let token = self.peek().clone();
        let span = self.span();
        match token {
            Token::Number(number) => {
                self.advance();
                Self::node(NodeKind::Number(number), span)
            }
            Token::True | Token::False => {
                self.advance();
                Self::node(NodeKind::Bool(token == Token::True), span)
            }
            Token::Text(text) => {
                self.advance();
                Self::node(NodeKind::Text(text), span)
            }
            Token::Name(name) => {
                self.advance();
                if *self.peek() == Token::Open {
                    self.call(name, span, depth)
                } else {
                    Self::node(NodeKind::Name(name), span)
                }
            }
            Token::Minus | Token::Plus => {
                self.advance();
                let operand = self.expression(NEGATE_POWER, depth + 1)?;
                if token == Token::Plus {
                    return Ok(operand);
                }
                let span = span.to(operand.span);
                Self::node(NodeKind::Negate(Box::new(operand)), span)
            }
            Token::Not => {
                self.advance();
                let operand = self.expression(NOT_POWER, depth + 1)?;
                let span = span.to(operand.span);
                Self::node(NodeKind::Not(Box::new(operand)), span)
            }
            Token::Open => {
                self.advance();
                let mut inner = self.expression(0, depth + 1)?;
                let end = self.expect(&Token::Close, "`)`")?;
                inner.span = span.to(end);
                Ok(inner)
            }
            _ => Err(ExprError::new(span, format!("expected a value{}", self.but_found()))),
        }
    }

    fn call(&mut self, name: String, name_span: Span, depth: u32) -> Result<Node, ExprError> {
        self.advance();
        let mut args = Vec::new();
        while *self.peek() != Token::Close {
            args.push(self.expression(0, depth + 1)?);
            match self.peek() {
                Token::Comma => self.advance(),
                Token::Close => break,
                _ => return Err(ExprError::new(self.span(), format!("expected `,` or `)`{}", self.but_found()))),
            };
        }
        let end = self.expect(&Token::Close, "`)`")?;
        Self::node(NodeKind::Call { name, name_span, args }, name_span.to(end))
    }

    /// `base[offset]` and `base.field`.
    fn postfix(&mut self, base: Node, depth: u32) -> Result<Node, ExprError> {
        let start = base.span;
        let is_history = *self.peek() == Token::OpenBracket;
        self.advance();
        if is_history {
            let offset = self.expression(0, depth + 1)?;
            let end = self.expect(&Token::CloseBracket, "`]`")?;
            return Self::node(NodeKind::History { base: Box::new(base), offset: Box::new(offset) }, start.to(end));
        }
        let name_span = self.span();
        let Token::Name(name) = self.peek().clone() else {
            return Err(ExprError::new(name_span, format!("expected the name of an output{}", self.but_found())));
        };
        self.advance();
        Self::node(NodeKind::Field { base: Box::new(base), name, name_span }, start.to(name_span))
    }
}

fn too_deep(span: Span) -> ExprError {
    ExprError::new(span, format!("nested deeper than {MAX_DEPTH} levels"))
}
