DROP TABLE news_answers;
DROP TABLE news;
