//! The texts that stand beside the things of a page, below `page.t.beside`, as in `sections.rs`: what was
//! done, and what helps to fill in a field.

use super::declare::sections;

sections! {
    /// The texts beside things, by section.
    Beside {
        done: BesideDone {
            app_disconnected,
            bridge_ended,
            certificate_revoked,
            client_disabled,
            client_enabled,
            client_removed,
            device_ended,
            grant_ended,
            invitation_revoked,
            invitations_revoked,
            link_revoked,
            links_revoked,
            others_signed_out,
            passkey_added,
            passkey_removed,
            passkey_renamed,
            person_disabled,
            person_enabled,
            person_removed,
            recovered,
            resource_added,
            resource_removed,
            saved,
            session_ended,
            settings_read,
            token_revoked,
        }
        hints: BesideHints {
            at(day),
            copy_id,
            copy_lines,
            copy_secret,
            days_unfit,
            email_unfit,
            event_client,
            event_kind,
            event_refusal,
            event_time,
            event_user,
            further_unfit,
            lifetime_unfit,
            name_missing,
            not_sent,
            own_session,
            resource_unfit,
            setup_lines,
            setup_lines_secret,
            url_unfit,
            uses_unfit,
        }
    }
}
