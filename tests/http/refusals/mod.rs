//! Every refusal there is, provoked by a request: what goes over the wire and the reason behind it.
//!
//! The table has no wildcard arm, so that a new refusal does not compile before somebody has said
//! how it comes about.

mod admin;
mod anonymous;
mod assertion;
mod authorize;
mod bridge;
mod certificates;
pub(crate) mod codes;
mod device;
pub(crate) mod documents;
mod forward;
mod links;
pub(crate) mod managing;
mod pages;
mod par;
pub(crate) mod passkeys;
mod registration;
mod session;
mod token;
mod userinfo;

use std::fs;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::pin::Pin;

use futures_util::FutureExt as _;
use gatelodge::error::Refusal;

use crate::support::Response;
use crate::ways;

type Story = Pin<Box<dyn Future<Output = Response>>>;

/// The story that provokes `refusal`.
fn story(refusal: Refusal) -> Story {
    macro_rules! table {
        ($($name:ident => $story:expr,)*) => {
            match refusal { $(Refusal::$name { .. } => Box::pin($story),)* }
        };
    }
    table! {
        AccessTokenLifetimeUnfit => admin::access_tokens_without_end(),
        AcrUnmet => authorize::an_acr_that_nobody_has(),
        AdminScopeBesideResource => authorize::administration_beside_a_resource(),
        AdministrationClosed => pages::the_administration_without_a_role(),
        AdministrationExceeded => admin::an_administrator_by_one_who_may_change_people(),
        AnonymousMetadataUnfit => anonymous::metadata_that_is_a_list(),
        AnonymousNotAllowed => anonymous::a_client_that_was_not_allowed_it(),
        AppCodeOfAnotherBrowser => forward::a_code_in_another_browser(),
        AppCodeUnknown => forward::no_code(),
        AppProxyUnknown => forward::a_question_of_a_stranger(),
        AppRoleMissing => forward::a_person_without_the_role(),
        AppSessionMissing => forward::nobody_signed_in_there(),
        AppUnknown => forward::an_unknown_application(),
        AssertionsUnfit => admin::older_assertions_for_a_client_of_its_own(),
        AttemptsTooMany => admin::very_many_registrations(),
        AuthMethodNotRegistered => token::another_method_than_was_registered(),
        AuthorizationHeaderMalformed => token::a_bearer_token_instead_of_basic(),
        BearerTokenExpired => userinfo::a_token_after_its_time(),
        BearerTokenForAnotherAudience => userinfo::a_token_for_another_audience(),
        BearerTokenKeyRetired => userinfo::a_token_of_a_retired_key(),
        BearerTokenMalformed => userinfo::a_token_that_is_none(),
        BearerTokenMissing => userinfo::no_token(),
        BearerTokenOfEndedGrant => userinfo::a_token_of_an_ended_grant(),
        BearerTokenRepeated => userinfo::two_tokens(),
        BearerTokenRevoked => userinfo::a_token_that_was_revoked(),
        BearerTokenSignatureWrong => userinfo::a_token_whose_claims_were_changed(),
        BearerTokenWithoutAdministration => userinfo::a_token_for_the_metrics_without_their_scope(),
        BearerTokenWithoutOpenid => userinfo::a_token_without_openid(),
        BodyMalformed => pages::a_body_that_is_no_json(),
        BodyTooLarge => token::a_large_body(),
        BodyTooSlow => token::a_slow_body(),
        BodyTypeUnsupported => token::a_json_body(),
        BridgeModeOff => bridge::a_way_that_is_off(),
        BridgeSessionMalformed => bridge::a_session_with_a_space(),
        BridgeSessionOfAnother => bridge::a_session_of_somebody_else(),
        CeremonyExpired => pages::a_ceremony_after_its_time(),
        CeremonyOfAnotherBrowser => pages::a_ceremony_of_another_browser(),
        CeremonyUnknown => pages::a_ceremony_for_the_second_time(),
        CatalogueEntryNotFound => admin::an_application_that_nobody_knows(),
        CatalogueOptionUnfit => admin::an_option_that_an_application_has_not(),
        CatalogueUrlUnfit => admin::an_application_without_its_address(),
        CertificateExists => certificates::a_certificate_for_the_second_time(),
        CertificateMalformed => certificates::a_certificate_that_is_none(),
        CertificateNameForbidden => certificates::a_name_of_somebody_else(),
        CertificateNotFound => certificates::a_certificate_that_is_not_there(),
        CertificateOver => certificates::a_certificate_whose_time_is_over(),
        CertificateRequestMalformed => certificates::a_request_that_is_none(),
        ClaimReserved => admin::a_claim_of_the_protocol(),
        ClaimsMalformed => authorize::claims_that_are_no_json(),
        ClientAssertionAudienceOld => assertion::for_an_endpoint(),
        ClientAssertionAudienceWrong => assertion::for_another_audience(),
        ClientAssertionEarly => assertion::from_the_future(),
        ClientAssertionExpired => assertion::after_its_time(),
        ClientAssertionKeyUnnamed => assertion::of_a_key_without_a_name(),
        ClientAssertionMalformed => assertion::of_no_form(),
        ClientAssertionOfAnother => assertion::beside_another_client_id(),
        ClientAssertionReplayed => assertion::for_the_second_time(),
        ClientAssertionSignatureWrong => assertion::by_another_key(),
        ClientAssertionTooLong => assertion::for_more_than_an_hour(),
        ClientAssertionTypeUnsupported => assertion::of_another_type(),
        ClientAssertionUntyped => assertion::without_a_type(),
        ClientAuthMissing => token::no_proof(),
        ClientAuthTwice => token::two_proofs(),
        ClientChanged => token::a_client_that_changes_meanwhile(),
        ClientDescribesItself => admin::another_name_for_a_client_that_names_itself(),
        ClientDisabled => token::a_client_that_is_switched_off(),
        ClientExists => admin::a_client_id_for_the_second_time(),
        ClientIdMalformed => authorize::a_client_id_that_is_none(),
        ClientIdMissing => authorize::no_client(),
        ClientIdReserved => admin::a_reserved_client_id(),
        ClientKeysUnavailable => assertion::with_keys_out_of_reach(),
        ClientKeysUnclear => registration::keys_in_two_ways(),
        ClientMetadataContradictory => admin::a_public_client_with_a_secret(),
        ClientMetadataMalformed => registration::a_list_instead_of_an_object(),
        ClientMetadataUnsupported => registration::the_implicit_grant_alone(),
        ClientNotConfidential => token::a_public_client_that_introspects(),
        ClientNotFound => admin::a_client_that_is_not_there(),
        ClientSecretMalformed => token::a_secret_that_is_none(),
        ClientSecretUnfit => admin::a_chosen_secret_that_is_none(),
        ClientSecretWrong => token::a_wrong_secret(),
        ClientUnknown => token::an_unknown_client(),
        ClientDisabledAtAuthorize => authorize::a_client_that_is_switched_off(),
        ClientUnknownAtAuthorize => authorize::an_unknown_client(),
        ClientUpdateMismatched => registration::an_update_of_another_client(),
        ClockInDoubt => admin::a_key_that_waits_by_a_clock_in_doubt(),
        CodeChallengeMalformed => authorize::a_short_challenge(),
        CodeChallengeMethodUnsupported => authorize::a_plain_challenge(),
        CodeChallengeMissing => authorize::no_challenge(),
        CodeClientDiffers => token::a_code_of_another_client(),
        CodeEnded => token::a_code_whose_session_has_ended(),
        CodeExpired => token::a_code_after_its_time(),
        CodeMissing => token::no_code(),
        CodeReplayed => token::a_code_for_the_second_time(),
        CodeUnknown => token::an_unknown_code(),
        CodeVerifierMalformed => token::a_short_verifier(),
        CodeVerifierMissing => token::no_verifier(),
        CodeVerifierUnexpected => token::a_verifier_without_a_challenge(),
        CodeVerifierWrong => token::a_wrong_verifier(),
        ConfiguredOtherwise => admin::a_scope_that_the_configuration_defines(),
        ConsentNeeded => authorize::no_consent_and_no_prompt(),
        CredentialCounterBack => pages::a_passkey_whose_counter_goes_back(),
        CredentialCrossOrigin => pages::a_passkey_in_a_frame_of_another_page(),
        CredentialIdUnfit => pages::a_passkey_with_a_long_id(),
        CredentialNotOurs => pages::a_passkey_that_nobody_registered(),
        CredentialOfAnotherPerson => pages::the_user_handle_of_somebody_else(),
        CredentialOfRemovedPerson => passkeys::one_of_a_removed_person(),
        CredentialRefused => pages::a_signature_for_another_challenge(),
        CredentialRegistered => pages::a_passkey_for_two_people(),
        CredentialRemoved => passkeys::one_that_was_removed(),
        CredentialUnstored => passkeys::one_of_the_loser_of_two_ceremonies(),
        CrossSite => pages::a_form_from_another_site(),
        CsrfTokenWrong => pages::a_stale_anti_forgery_token(),
        ConfigurationFaulty => admin::a_faulty_configuration(),
        CursorMalformed => admin::a_cursor_that_no_listing_returned(),
        ConnectionNotFound => admin::a_connection_that_is_not_there(),
        DefinitionInUse => admin::the_removal_of_a_scope_that_a_client_has(),
        DeviceCertificateDiffers => certificates::a_device_that_names_another(),
        DeviceCertificateExpired => certificates::a_device_after_its_time(),
        DeviceCertificateMissing => certificates::a_connection_without_a_certificate(),
        DeviceCertificateRevoked => certificates::a_device_that_was_revoked(),
        DeviceCertificateUnknown => certificates::a_device_nobody_registered(),
        DeviceCodeClientDiffers => device::a_code_of_another_client(),
        DeviceCodeDenied => device::a_person_who_denies(),
        DeviceCodeEnded => device::a_code_whose_session_has_ended(),
        DeviceCodeExpired => device::a_code_after_its_time(),
        DeviceCodeMissing => device::no_code(),
        DeviceCodePending => device::nobody_who_decided(),
        DeviceCodePolledTooFast => device::a_device_in_a_hurry(),
        DeviceCodeUnknown => device::a_code_for_the_second_time(),
        DocumentAddressMalformed => documents::an_address_with_dot_segments(),
        DocumentAddressPrivate => documents::a_private_address(),
        DocumentAtResource => admin::a_document_at_a_resource(),
        DocumentHostUnlisted => documents::a_host_that_is_not_listed(),
        DocumentNotJson => documents::a_document_that_is_a_page(),
        DocumentOfAnotherClient => documents::a_document_of_somebody_else(),
        DocumentOffline => documents::a_document_while_offline(),
        DocumentRedirected => documents::a_document_that_moved(),
        DocumentStatusWrong => documents::a_document_that_is_missing(),
        DocumentTooLarge => documents::a_large_document(),
        DocumentTooSlow => documents::a_document_that_does_not_come(),
        DocumentUnavailable => documents::a_document_that_goes_away(),
        DocumentUnreachable => documents::a_document_nobody_serves(),
        DocumentWithSecret => documents::a_document_with_a_secret(),
        EmailMalformed => admin::an_address_without_at(),
        EmailMissing => admin::a_word_about_no_address(),
        EmailTaken => admin::an_address_of_somebody_else(),
        EmailUnnamed => admin::a_word_about_an_address_that_somebody_typed(),
        EventIdMalformed => admin::an_event_id_of_three_digits(),
        EventKindUnknown => admin::events_of_an_unknown_kind(),
        EventNotFound => admin::an_event_that_is_not_there(),
        ExchangeCodeExpired => bridge::a_code_after_its_time(),
        ExchangeCodeMissing => bridge::no_code(),
        ExchangeCodeSpent => bridge::a_code_for_the_second_time(),
        ExchangeCodeUnknown => bridge::a_code_that_nobody_made(),
        FilterMalformed => admin::a_filter_that_is_misspelt(),
        GrantEnded => token::a_grant_that_has_ended(),
        GrantOutsideGroups => token::a_grant_of_somebody_who_left_the_groups(),
        GrantNotFound => admin::a_grant_that_is_not_there(),
        GrantTypeMissing => token::no_grant_type(),
        GrantTypeNotRegistered => authorize::a_client_without_the_code_grant(),
        GrantTypeUnsupported => token::an_unknown_grant_type(),
        GroupMalformed => admin::a_group_with_a_comma(),
        HeaderSectionTooLarge => pages::a_header_section_that_is_too_large(),
        HookAudienceForeign => bridge::the_audience_of_hooks_for_another(),
        HookClientOfDevices => admin::a_hook_client_to_be_removed(),
        HookScopeWithoutAudience => bridge::hook_scopes_without_their_audience(),
        HookSecretOfDevices => admin::a_new_secret_for_a_hook_client(),
        HostIdUnknown => bridge::an_unknown_host(),
        HostIsLast => bridge::the_last_host(),
        HostSwitchedOff => bridge::a_host_that_is_off(),
        HostMalformed => pages::a_host_that_is_none(),
        HostOfProxy => forward::a_host_of_the_proxys_own(),
        HostUnknown => pages::a_host_that_is_not_ours(),
        IdTokenHintClientDiffers => authorize::a_hint_for_another_client(),
        IdTokenHintMalformed => authorize::a_hint_that_is_no_token(),
        InitialAccessTokenWrong => registration::a_wrong_initial_access_token(),
        InteractionDecisionMalformed => pages::neither_yes_nor_no(),
        InteractionExpired => pages::an_interaction_after_its_time(),
        InteractionOfAnotherBrowser => pages::an_interaction_of_another_browser(),
        InteractionUnknown => pages::an_interaction_that_was_answered(),
        InvitationEarly => links::an_invitation_before_the_first_administrator(),
        InvitationExhausted => links::an_invitation_that_is_used_up(),
        InvitationExpired => links::an_invitation_after_its_time(),
        ImportDiffers => admin::a_file_of_another_server_about_somebody_who_is_there(),
        ImportFaulty => admin::a_file_that_is_no_export(),
        InvitationNotFound => links::an_invitation_that_is_not_listed(),
        InvitationOver => links::an_invitation_to_revoke_twice(),
        InvitationLapsed => links::an_invitation_of_somebody_who_may_not_invite(),
        InvitationRevoked => links::an_invitation_that_was_taken_back(),
        InvitationUnknown => links::an_invitation_nobody_made(),
        IssuerAtAddress => admin::an_issuer_at_an_address(),
        IssuerUnfit => admin::an_issuer_with_a_path(),
        JwksMalformed => admin::a_key_set_without_a_key(),
        LastAdministrator => admin::the_only_administrator_switched_off(),
        LimitMalformed => admin::a_listing_without_results(),
        LinkRedirectUnfit => bridge::a_link_to_elsewhere(),
        LinkedDeviceNotFound => bridge::a_linked_device_that_is_not_there(),
        LocalAuthorityAbsent => pages::the_ca_of_a_server_without_one(),
        LoginNeeded => authorize::nobody_signed_in_and_no_prompt(),
        LogoutCrossSite => forward::a_sign_out_from_another_site(),
        LogoutExpired => pages::a_sign_out_after_its_time(),
        LogoutOfAnotherBrowser => pages::a_sign_out_of_another_browser(),
        MaxAgeMalformed => authorize::max_age_not_numeric(),
        MemberMalformed => admin::a_switch_that_is_a_text(),
        MemberUnknown => admin::a_document_with_a_mistyped_member(),
        MethodNotAllowed => pages::a_method_that_is_not_answered(),
        ModelProtocolUnknown => bridge::an_unknown_protocol(),
        NameAmbiguous => admin::a_name_that_two_clients_have(),
        NameMalformed => admin::an_empty_name(),
        NavigationRequired => authorize::a_script_that_asks_for_an_authorization(),
        NotListed => admin::a_group_that_the_person_is_not_in(),
        PageNotFound => pages::a_page_that_is_not_there(),
        ParameterMalformed => authorize::a_broken_percent_encoding(),
        ParameterRepeated => authorize::a_repeated_parameter(),
        ParameterTooLong => authorize::a_very_long_parameter(),
        ParametersTooMany => authorize::very_many_parameters(),
        PasskeyIsLast => passkeys::the_only_one_without_saying_so(),
        PasskeyNameTaken => passkeys::the_name_of_another(),
        PasskeyNotFound => passkeys::one_that_is_not_there(),
        PasskeysTooMany => passkeys::too_many(),
        PersonAstray => authorize::a_person_of_other_groups(),
        PersonDeclined => authorize::a_person_who_declines(),
        PersonDisabled => pages::a_person_who_is_switched_off(),
        PersonalTokenExpired => bridge::a_personal_token_after_its_time(),
        PersonTooLarge => admin::a_person_of_too_many_groups(),
        PersonalTokenNotFound => bridge::a_personal_token_that_is_not_there(),
        PersonalTokenRevoked => bridge::a_personal_token_that_was_revoked(),
        PersonalTokenUnknown => bridge::a_personal_token_that_nobody_made(),
        PersonalTokensTooMany => bridge::very_many_personal_tokens(),
        PkceOptionalUnfit => admin::a_public_client_without_pkce(),
        PluginIdMalformed => bridge::a_plugin_that_is_none(),
        PluginIdMissing => bridge::no_plugin(),
        PostLogoutClientMissing => pages::a_way_home_of_nobody(),
        PostLogoutClientUnknown => pages::a_way_home_of_an_unknown_client(),
        PostLogoutUriUnregistered => pages::a_way_home_that_is_not_registered(),
        PromptContradictory => authorize::prompt_none_and_login(),
        PromptCreateClosed => authorize::an_account_where_nobody_makes_one(),
        PromptUnknown => authorize::an_unknown_prompt(),
        PushedRequestClientDiffers => par::a_request_of_another_client(),
        PushedRequestExpired => par::a_request_after_its_time(),
        PushedRequestSpent => par::a_request_for_the_second_time(),
        PushedRequestUnknown => par::a_request_that_nobody_pushed(),
        RecoveryCodeOver => codes::one_from_before_its_person_was_switched_off(),
        RecoveryCodeUnknown => codes::one_that_nobody_made(),
        RecoveryCodeUsed => codes::one_for_the_second_time(),
        RedirectUriDangerous => authorize::a_redirect_uri("javascript:alert(1)"),
        RedirectUriDiffers => token::another_redirect_uri(),
        RedirectUriHasDotSegments => authorize::a_redirect_uri("https://shop.example/x/../cb"),
        RedirectUriHasFragment => authorize::a_redirect_uri("https://shop.example/cb#x"),
        RedirectUriHasUserinfo => authorize::a_redirect_uri("https://shop@evil.example/cb"),
        RedirectUriMalformed => authorize::a_redirect_uri("/cb"),
        RedirectUriMissing => authorize::no_redirect_uri_out_of_two(),
        RedirectUriMissingForOpenid => authorize::no_redirect_uri_and_openid(),
        RedirectUriNotHttps => authorize::a_redirect_uri("http://shop.example/cb"),
        RedirectUriOutOfBand => authorize::a_redirect_uri("urn:ietf:wg:oauth:2.0:oob"),
        RedirectUriPrivate => authorize::a_redirect_uri("http://nas.local/cb"),
        RedirectUriSchemeUnknown => authorize::a_private_scheme_nobody_knows(),
        RedirectUriUnderGate => authorize::a_redirect_uri("http://localhost/gate/cb"),
        RedirectUriUnregistered => authorize::a_redirect_uri("https://shop.example/other"),
        RedirectUriWildcard => authorize::a_redirect_uri("https://*.shop.example/cb"),
        RedirectUrisUnfit => registration::a_dangerous_redirect_uri(),
        RefreshAhead => token::a_second_refresh_token_ahead_of_the_store(),
        RefreshClientDiffers => token::a_refresh_token_of_another_client(),
        RefreshExpired => token::a_refresh_token_after_its_time(),
        RefreshLost => token::a_refresh_token_from_after_the_backup(),
        RefreshMissing => token::no_refresh_token(),
        RefreshReplayed => token::a_refresh_token_that_was_spent(),
        RefreshUnknown => token::an_unknown_refresh_token(),
        RefusalUnknown => admin::events_of_an_unknown_refusal(),
        RegistrationAccessTokenWrong => registration::a_wrong_registration_access_token(),
        RegistrationOff => registration::a_closed_endpoint(),
        RequestNotPushed => par::a_plain_request_of_a_client_that_pushes(),
        RequestObjectUnsupported => authorize::a_request_object(),
        RequestUriPushed => par::a_reference_to_a_reference(),
        RequestUriUnsupported => authorize::a_request_uri(),
        RepairDiffers => managing::another_repair_than_was_shown(),
        RepairMissing => managing::a_repair_of_what_no_setting_lets_pass(),
        RepairUntrusted => managing::an_address_that_nobody_vouched_for(),
        ResourceExists => admin::a_resource_for_the_second_time(),
        ResourceIsClient => admin::a_resource_that_is_a_client(),
        ResourceMalformed => authorize::a_resource_that_is_no_address(),
        ResourceNotFound => admin::a_resource_that_is_not_there(),
        ResourceNotGranted => token::a_resource_that_was_not_granted(),
        ResourceServerPublic => admin::a_resource_server_that_is_public(),
        ResourceTokenTypesDiffer => token::one_token_of_two_types(),
        ResourceUnknown => authorize::an_unknown_resource(),
        ResponseModeUnsupported => authorize::an_unsupported_response_mode(),
        ResponseTypeMissing => authorize::no_response_type(),
        ResponseTypeUnsupported => authorize::the_implicit_response_type(),
        RoleUnknown => admin::an_unknown_role(),
        RootKeyFileDiffers => admin::a_root_key_beside_the_file_of_another_store(),
        RootKeysTooMany => admin::a_fifth_root_key(),
        ScopeMalformed => authorize::a_scope_in_quotes(),
        ScopeNotAllowed => authorize::nothing_left_of_the_scope(),
        ScopeNotForItself => token::a_scope_about_people_for_a_client(),
        ScopeReserved => admin::a_resource_that_opens_the_administration(),
        ScopeUnknown => admin::an_unknown_scope(),
        ScopeWidened => token::a_wider_scope(),
        SectorUnclear => registration::pairwise_subjects_for_two_hosts(),
        SessionKeyInUse => session::a_key_that_has_a_session(),
        SessionKeyMissing => session::a_sign_in_without_a_key(),
        SessionNotFound => admin::a_session_that_is_not_there(),
        SessionProofExpired => session::a_proof_after_its_time(),
        SessionProofMalformed => session::a_proof_that_another_key_signed(),
        SessionProofMismatched => session::a_proof_for_another_page(),
        SessionProofUsed => session::a_proof_for_the_second_time(),
        SessionProofsTooMany => session::more_proofs_than_are_remembered(),
        SetupLinkNotFound => links::a_setup_link_that_is_not_listed(),
        SetupLinkOver => links::a_setup_link_to_revoke_twice(),
        SetupTokenDisabled => links::a_setup_link_of_somebody_switched_off(),
        SetupTokenExpired => links::a_setup_link_after_its_time(),
        SetupTokenMismatched => links::a_setup_link_for_somebody_else(),
        SetupTokenRevoked => links::a_setup_link_that_was_taken_back(),
        SetupTokenSuperseded => links::a_setup_link_before_the_newest(),
        SetupTokenSuspended => links::a_setup_link_from_before_its_person_was_off(),
        SetupTokenUnknown => links::a_setup_link_nobody_made(),
        SetupTokenUsed => links::a_setup_link_for_the_second_time(),
        SignUpClosed => links::somebody_without_a_link(),
        SigningKeysTooMany => admin::very_many_keys(),
        SoftwareStatementMalformed => registration::a_software_statement_that_is_none(),
        SoftwareStatementUnapproved => registration::a_software_statement_of_a_stranger(),
        SignInStale => passkeys::one_more_after_the_sign_in_is_older_than_five_minutes(),
        StartedWithoutPerson => links::a_setup_link_for_a_person_who_has_gone(),
        StateMissing => authorize::nothing_that_protects_the_code(),
        StoreUnwritable => token::a_code_while_nothing_can_be_written(),
        TimeMalformed => admin::events_since_a_day_without_a_time(),
        TokenMissing => token::no_token_to_revoke(),
        UserDisabled => admin::a_link_for_somebody_who_is_switched_off(),
        UserExists => admin::a_username_for_the_second_time(),
        UserNotFound => admin::a_person_who_is_not_there(),
        UserNotVerified => pages::a_passkey_that_does_not_verify_its_person(),
        UsernameMalformed => admin::a_username_with_a_space(),
        UsernameMissing => admin::recovery_of_nobody_in_particular(),
        UsernameTaken => links::a_username_that_somebody_has(),
        WebUriMalformed => admin::an_address_in_plain_http(),
    }
}

/// What is missing if a page displays a refusal: its sentence in each language but that of the table.
fn untranslated(refusal: Refusal) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/texts");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let others = files.filter(|path| !path.ends_with("en.toml"));
    let without = others.filter(|path| {
        let texts: toml::Value = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        texts["refusals"].get(refusal.sentence_name()).is_none()
    });
    without.map(|path| format!("{} lacks {}", path.display(), refusal.sentence_name())).collect()
}

#[tokio::test]
async fn every_refusal_comes_about_over_http_and_says_why() {
    let mut faults = Vec::new();

    for refusal in Refusal::ALL {
        let outcome = AssertUnwindSafe(story(*refusal)).catch_unwind().await;
        match outcome.map(|response| {
            let is_page = response.header("content-type").starts_with("text/html");
            let checked = response.check_refused(refusal.code(), *refusal);
            checked.map(|()| is_page.then_some(response))
        }) {
            Ok(Ok(Some(page))) => {
                faults.extend(untranslated(*refusal));
                faults.extend(ways::astray(*refusal, &page));
            }
            Ok(Ok(None)) => {}
            Ok(Err(fault)) => faults.push(fault),
            Err(_) => faults.push(format!("{refusal:?}: the story broke off")),
        }
    }

    assert!(faults.is_empty(), "{} stories\n{}", faults.len(), faults.join("\n\n"));
}

/// Operators and the log tell refusals apart by their reasons.
#[test]
fn no_two_refusals_share_a_reason() {
    let reasons: std::collections::BTreeSet<_> =
        Refusal::ALL.iter().map(|refusal| refusal.reason()).collect();

    assert_eq!(reasons.len(), Refusal::ALL.len());
}
