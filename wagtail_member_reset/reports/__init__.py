"""What is known of mail services, and what they say of the mails that they took."""
