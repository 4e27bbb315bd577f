//! The form that describes a client: its fields, and the members that they are.

use serde_json::{Map, Value, json};

use crate::admin::client::{ClientOrigin, ClientView};
use crate::admin::listing::ListView;
use crate::admin::resource::ResourceView;
use crate::http::admin_pages::administrator::Administrator;
use crate::http::admin_pages::fields::{Choice, Field, FieldKind, Form};
use crate::http::admin_pages::refused::Refused;
use crate::http::pages::templates::{ScopeItem, scope_items};
use crate::http::texts::Texts;
use crate::oauth::client::{AuthMethod, ClientType, GrantType, PkcePolicy, SigningAlg};
use crate::oauth::scope::Scope;

/// The choice of a policy that says: as the configuration has it.
const DEFAULT: &str = "default";

/// The choice of an authentication method that says: the secret, in either way.
const ANY_SECRET: &str = "client_secret";

/// The form of a new client.
pub(super) async fn new_client(administrator: &Administrator) -> Result<Form, Refused> {
    let t = administrator.texts();
    let usual = administrator.app().rules().config.open_scope();
    let own = &t.admin.client_form;
    let types = vec![
        Choice::new(ClientType::Confidential.as_str(), own.confidential().plain()),
        Choice::new(ClientType::Public.as_str(), own.public().plain()),
    ];
    let grants = [GrantType::AuthorizationCode, GrantType::RefreshToken];
    let fields = vec![
        name(t),
        Field::new("client_type", own.client_type().plain(), FieldKind::One(types))
            .with([ClientType::Confidential.as_str()]),
        redirect_uris(t),
        scopes(administrator, &usual).await?.with(usual.iter().map(|token| token.as_str())),
        grant_types(t).with(grants.map(GrantType::as_str)),
        groups(t),
        post_logout_uris(t),
        logout_uri(t),
        pkce(t, PkcePolicy::ALL).with([DEFAULT]),
        signing_alg(t).with([SigningAlg::default().as_str()]),
        lifetime(t),
        first_party(t),
    ];
    Ok(Form { changes: false, fields })
}

/// The form of a client that is there.
pub(super) async fn form_of(
    administrator: &Administrator,
    client: &ClientView,
) -> Result<Form, Refused> {
    let (t, metadata, decisions) = (administrator.texts(), &client.metadata, &client.decisions);
    let by_operator = matches!(client.origin, ClientOrigin::Operator);
    let scope = metadata.scope.clone().unwrap_or_default();
    let mut fields = Vec::new();
    if by_operator {
        fields.push(name(t).with([&client.name]));
        fields.push(redirect_uris(t).with(metadata.redirect_uris.iter().map(|own| own.as_str())));
    }
    let tokens = scope.iter().map(|token| token.as_str());
    fields.push(scopes(administrator, &scope).await?.with(tokens));
    if by_operator {
        let grants = metadata.grant_types().iter().map(|grant| grant.as_str());
        fields.push(grant_types(t).with(grants));
    }
    fields.push(groups(t).with(decisions.groups.iter().map(|group| group.as_str())));
    if by_operator {
        let uris = metadata.post_logout_redirect_uris.iter().map(|own| own.as_str());
        fields.push(post_logout_uris(t).with(uris));
        let uri = metadata.backchannel_logout_uri.iter().map(|own| own.as_str());
        fields.push(logout_uri(t).with(uri));
        let method = metadata.token_endpoint_auth_method.map_or(ANY_SECRET, AuthMethod::as_str);
        fields.push(auth_method(t).with([method]));
        let uri = metadata.jwks_uri.iter().map(|own| own.as_str());
        fields.push(jwks_uri(t).with(uri));
    }
    let fits = |policy: PkcePolicy| match policy {
        PkcePolicy::Required => true,
        PkcePolicy::Nonce => client.client_type == ClientType::Confidential,
        PkcePolicy::Optional => client.client_type == ClientType::Confidential && by_operator,
    };
    let policies = PkcePolicy::ALL.iter().copied();
    let policies = policies.filter(|own| fits(*own) || decisions.pkce == Some(*own));
    let policies: Vec<_> = policies.collect();
    fields.push(pkce(t, &policies).with(decisions.pkce.iter().map(|own| own.as_str())));
    if by_operator {
        fields.push(signing_alg(t).with([metadata.id_token_signed_response_alg.as_str()]));
    }
    let seconds = decisions.access_token_lifetime.map(|seconds| seconds.to_string());
    fields.push(lifetime(t).with(seconds));
    fields.push(first_party(t).ticked(decisions.first_party));
    Ok(Form { changes: true, fields })
}

/// The members that these fields are. What no field has is not among them.
pub(super) fn members<'a>(fields: impl Iterator<Item = &'a Field>) -> Map<String, Value> {
    let mut members = Map::new();
    for field in fields {
        let text = field.value.as_str();
        let value = match field.name.as_str() {
            "grant_types" | "groups" | "post_logout_redirect_uris" | "redirect_uris" => {
                json!(field.lines().collect::<Vec<_>>())
            }
            "scope" => json!(field.lines().collect::<Vec<_>>().join(" ")),
            "first_party" => json!(field.is_ticked()),
            "pkce" if text == DEFAULT => Value::Null,
            // What is no number is refused by a sentence of its own.
            "access_token_lifetime" => match text.parse::<u32>() {
                Ok(seconds) => json!(seconds),
                Err(_) if text.is_empty() => Value::Null,
                Err(_) => json!(text),
            },
            "token_endpoint_auth_method" => {
                // The method decides the type, and a patch has to have both.
                let public = text == AuthMethod::None.as_str();
                let client_type =
                    if public { ClientType::Public } else { ClientType::Confidential };
                members.insert("client_type".to_owned(), json!(client_type));
                if text == ANY_SECRET { Value::Null } else { json!(text) }
            }
            _ if text.is_empty() => Value::Null,
            _ => json!(text),
        };
        members.insert(field.name.clone(), value);
    }
    members
}

fn name(t: &Texts) -> Field {
    let t = &t.admin.client_form;
    Field::new("name", t.name().plain(), FieldKind::Line).with_hint(t.name_hint().plain())
}

fn redirect_uris(t: &Texts) -> Field {
    let t = &t.admin.client_form;
    let field = Field::new("redirect_uris", t.redirect_uris().plain(), FieldKind::Lines);
    field.with_hint(t.redirect_uris_hint().plain())
}

/// The boxes of every scope that the configuration, a resource or the client itself knows.
async fn scopes(administrator: &Administrator, own: &Scope) -> Result<Field, Refused> {
    let resources: ListView<ResourceView> =
        administrator.get("/api/v1/resources?limit=1000").await?;
    let (t, rules) = (administrator.texts(), administrator.app().rules());
    let of_resources = resources.items.iter().map(|resource| &resource.scope);
    let known = of_resources.fold(rules.config.scope().union(own), |all, own| all.union(own));
    let choice = |ScopeItem { name, description, .. }: ScopeItem| {
        Choice::new(name.as_str(), if description == name { "" } else { description.as_str() })
    };
    let choices = scope_items(t, &rules.config, &known).into_iter().map(choice);
    let mut choices: Vec<Choice> = choices.collect();
    // Few clients have those of the administration.
    choices.sort_by_key(|choice| choice.name.split(':').next() == Some("admin"));
    let kind = FieldKind::Boxes(choices);
    Ok(Field::new("scope", t.admin.client_form.scope().plain(), kind))
}

fn grant_types(t: &Texts) -> Field {
    let t = &t.admin.client_form;
    let choices = GrantType::ALL.iter().map(|grant| {
        let meaning = match grant {
            GrantType::AuthorizationCode => t.authorization_code(),
            GrantType::ClientCredentials => t.client_credentials(),
            GrantType::DeviceCode => t.device_code(),
            GrantType::RefreshToken => t.refresh_token(),
        };
        Choice::new(grant.as_str(), meaning.plain())
    });
    Field::new("grant_types", t.grant_types().plain(), FieldKind::Boxes(choices.collect()))
}

fn groups(t: &Texts) -> Field {
    let t = &t.admin.client_form;
    let field = Field::new("groups", t.groups().plain(), FieldKind::Lines);
    field.with_hint(t.groups_hint().plain())
}

fn post_logout_uris(t: &Texts) -> Field {
    let label = t.admin.client_form.post_logout_uris().plain();
    Field::new("post_logout_redirect_uris", label, FieldKind::Lines).extra()
}

fn logout_uri(t: &Texts) -> Field {
    let t = &t.admin.client_form;
    let field = Field::new("backchannel_logout_uri", t.logout_uri().plain(), FieldKind::Line);
    field.with_hint(t.logout_uri_hint().plain()).extra()
}

fn auth_method(t: &Texts) -> Field {
    let t = &t.admin.client_form;
    let mut choices = vec![Choice::new(ANY_SECRET, t.any_secret().plain())];
    choices.extend(AuthMethod::ALL.iter().map(|method| {
        let meaning = match method {
            AuthMethod::ClientSecretBasic => t.client_secret_basic(),
            AuthMethod::ClientSecretPost => t.client_secret_post(),
            AuthMethod::None => t.no_proof(),
            AuthMethod::PrivateKeyJwt => t.private_key_jwt(),
        };
        Choice::new(method.as_str(), meaning.plain())
    }));
    let kind = FieldKind::One(choices);
    Field::new("token_endpoint_auth_method", t.auth_method().plain(), kind).extra()
}

fn jwks_uri(t: &Texts) -> Field {
    let t = &t.admin.client_form;
    let field = Field::new("jwks_uri", t.jwks_uri().plain(), FieldKind::Line);
    field.with_hint(t.jwks_uri_hint().plain()).extra()
}

/// What a policy asks of a client.
pub(super) fn pkce_description(t: &Texts, policy: PkcePolicy) -> String {
    let t = &t.admin.client_form;
    let meaning = match policy {
        PkcePolicy::Nonce => t.pkce_nonce(),
        PkcePolicy::Optional => t.pkce_optional(),
        PkcePolicy::Required => t.pkce_required(),
    };
    meaning.plain()
}

fn pkce(all: &Texts, policies: &[PkcePolicy]) -> Field {
    let t = &all.admin.client_form;
    let mut choices = vec![Choice::new(DEFAULT, t.pkce_default().plain())];
    let by_strictness = [PkcePolicy::Required, PkcePolicy::Nonce, PkcePolicy::Optional];
    choices.extend(
        by_strictness
            .iter()
            .filter(|own| policies.contains(own))
            .map(|policy| Choice::new(policy.as_str(), pkce_description(all, *policy))),
    );
    Field::new("pkce", t.pkce().plain(), FieldKind::One(choices)).extra()
}

fn signing_alg(t: &Texts) -> Field {
    let choices = SigningAlg::ALL.iter().map(|alg| Choice::new(alg.as_str(), ""));
    let label = t.admin.client_form.signing_alg().plain();
    let kind = FieldKind::One(choices.collect());
    Field::new("id_token_signed_response_alg", label, kind).extra()
}

fn lifetime(t: &Texts) -> Field {
    let t = &t.admin.client_form;
    let field = Field::new("access_token_lifetime", t.lifetime().plain(), FieldKind::Line);
    field.with_hint(t.lifetime_hint().plain()).extra()
}

fn first_party(t: &Texts) -> Field {
    Field::new("first_party", t.admin.client_form.first_party().plain(), FieldKind::Tick).extra()
}
